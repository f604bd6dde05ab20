/* What stands where in a compiled policy: for its builder (policies/language), the evaluator, and
 * nobody else. Everyone else reads a block through policy_block.h.
 *
 * A block is a header and a row of sections, each an array of one kind of record, found through the
 * header's directory. Records name each other by index and texts by offset in the text section, so
 * that a block may lie at any address that is aligned to 8.
 *
 * Which rules are asked about an event is found through rule sets (rule_index.h): a rule stands in
 * a set under keys, literals of its condition one of which must hold for the condition to be
 * anything but false, or among those that are always asked.
 *
 * Conditions are trees of nodes. The children of a node are neighbours and stand behind it, so that
 * a walk ends whatever the numbers say, and are at most BLOCK_DEPTH_MAX deep. */
#ifndef WARDER_POLICIES_ENGINE_BLOCK_LAYOUT_H
#define WARDER_POLICIES_ENGINE_BLOCK_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policies/engine/address.h"
#include "policies/engine/policy_block.h"
#include "policies/engine/subject.h"
#include "policies/engine/vocabulary.h"

#define BLOCK_MAGIC "warder\0\1" /* eight bytes, the literal's own NUL not counted */

enum {
    BLOCK_VERSION = 5,
    BLOCK_ALIGNMENT = 8,
    BLOCK_DEPTH_MAX = 144, /* nodes on a way down a condition: the parser takes 64 parentheses, each
                              of which is an `and` or `or` and a `not` at most */
};

enum block_section {
    SECTION_POLICIES,    /* struct policy_record, by tier and name */
    SECTION_RULES,       /* struct rule_record: those of a policy together, by name */
    SECTION_RULE_LISTS,  /* uint32_t: rules. A list is in order of effect (kill, deny, allow, log)
                            and, within that, of rule */
    SECTION_RULE_SETS,   /* struct rule_set; the first one is empty */
    SECTION_EVENT_SETS,  /* struct event_set: those of a policy together, by event */
    SECTION_NODES,       /* struct block_node */
    SECTION_VALUES,      /* struct block_value: what predicates compare with */
    SECTION_GLOB_WORDS,  /* uint32_t: compiled globs (glob.h) */
    SECTION_ARGUMENTS,   /* struct argument_place: where events have an argument of some name */
    SECTION_OVERRIDES,   /* struct override_record: those of a target policy together, by rule
                            (the defaults last, by class), then by the policy that overrides */
    SECTION_LOOKUPS,     /* struct lookup: those of a rule set together */
    SECTION_KEY_SLOTS,   /* uint32_t: where the keys of a slot begin, and a last one where they end;
                            there are a power of two and one */
    SECTION_KEYS,        /* struct exact_key: by slot */
    SECTION_TRIE_SLOTS,  /* uint32_t: as SECTION_KEY_SLOTS, of trie nodes */
    SECTION_TRIE_NODES,  /* struct trie_node: by slot */
    SECTION_BIT_NODES,   /* struct bit_node: a node's children stand behind it */
    SECTION_EVENT_RULES, /* struct event_rule, by rule: what the event sets say, from the rules'
                            side. For explanations alone, which go by no index */
    SECTION_TEXT,        /* bytes: every text followed by a NUL; offset 0 is the empty text */
    SECTION_COUNT
};

struct block_range {
    uint32_t first; /* sections in the directory: offset in bytes from the start of the block */
    uint32_t count; /* records */
};

struct policy_block {
    char magic[8];
    uint32_t version;
    uint32_t size;     /* bytes, this header included */
    uint64_t checksum; /* of everything behind this field: index_hash.h, word by word */
    uint32_t section_count;
    uint32_t reserved;
    struct block_range sections[SECTION_COUNT];
};

enum { BLOCK_NONE = -1 }; /* as uint32_t: no record */

enum default_verdict {
    DEFAULT_UNSAID, /* the policy has no default for the class */
    DEFAULT_ALLOW,
    DEFAULT_DENY,
};

struct default_record {
    uint32_t verdict; /* enum default_verdict; `all` is already applied */
    uint32_t message; /* text */
};

struct policy_record {
    uint32_t name;
    uint32_t title;
    uint8_t tier;
    uint8_t observes;
    uint8_t has_applies;
    uint8_t reserved;
    struct block_range applies; /* nodes: the policy governs where one of them is true */
    struct block_range rules;
    struct block_range events;         /* event sets: rules on an event by its name */
    struct block_range overrides;      /* those that cancel what this policy denies */
    uint32_t floor;                    /* bit N: the kernel is to hold class N */
    uint32_t floor_required;           /* bit N: or the session does not start */
    uint32_t glob_rules;               /* rule set: rules on events by a glob */
    uint32_t all_rules;                /* rule set: rules on every class */
    uint32_t class_rules[CLASS_COUNT]; /* rule sets: rules on the class, but not on all */
    struct default_record defaults[CLASS_COUNT];
};

enum rule_flag {
    RULE_HAS_PATHS = 1, /* the condition speaks of a path, which has two forms */
};

struct rule_record {
    uint32_t name;
    uint32_t message;
    uint32_t condition;       /* node, or BLOCK_NONE: always true */
    uint32_t classes;         /* bit N: the rule's target names class N */
    struct block_range globs; /* values: the globs of event names in the rule's target */
    uint8_t effect;           /* enum rule_effect */
    uint8_t flags;
    uint16_t reserved;
};

struct override_record {
    uint32_t by;              /* the policy that overrides: never one that observes */
    uint32_t target;          /* the policy whose denial it cancels, */
    uint32_t rule;            /* the rule, or RULE_DEFAULT */
    uint32_t operation_class; /* RULE_DEFAULT: the class; else CLASS_NONE */
    uint32_t condition;       /* node, or BLOCK_NONE: always */
    int32_t until;            /* the last day that it counts, in days since 1970-01-01 UTC */
    uint32_t reason;
    uint32_t reserved;
};

struct event_set {
    uint32_t event;
    uint32_t rules; /* rule set */
};

/* That a rule's target names an event. */
struct event_rule {
    uint32_t rule;
    uint32_t event;
};

/* Rules of one policy that one kind of event is judged by. */
struct rule_set {
    struct block_range always;  /* rule list: those that no key leads to */
    struct block_range lookups; /* how to find the others */
};

/* How the values that an event has are held against the keys of rules. */
enum lookup_kind {
    LOOKUP_TEXT,   /* hash: the same bytes */
    LOOKUP_NUMBER, /* hash: the same integer */
    LOOKUP_HOST,   /* hash: the same host name, folded */
    LOOKUP_PATH,   /* trie: whole components from the front, each with the `/` before it */
    LOOKUP_MODULE, /* trie: whole parts from the front, each but the first with the `.` before it */
    LOOKUP_DOMAIN, /* trie: whole labels from the end, each but the last with the `.` behind it */
    LOOKUP_IPV4,   /* trie of bits */
    LOOKUP_IPV6,
    LOOKUP_NAME, /* hash: the same last component of a path */
    LOOKUP_KIND_COUNT
};

/* What of the operand is looked up. */
enum lookup_way {
    WAY_VALUE,
    WAY_AT,    /* one element of a list */
    WAY_EVERY, /* every element of a list, every key of a map */
    WAY_COUNT
};

/* Which rules stand under a key: a rule list, or, where there is one alone, the rule itself. */
struct key_rules {
    uint32_t first;
    uint32_t count;
};

enum { LOOKUP_POSITIONS = 256 };

struct lookup {
    uint32_t node; /* a predicate: the operand is what it speaks of */
    uint8_t kind;  /* enum lookup_kind */
    uint8_t way;   /* enum lookup_way */
    uint8_t place; /* enum place: what is behind it is looked up; PLACE_COUNT: the value itself */
    uint8_t position;          /* WAY_AT: of the element */
    struct block_range strict; /* rule list: the rules under the keys that do not allow, for an
                                  operand that is not known for certain */
    struct key_rules at_root;  /* trie: under keys without a component, which concern every text */
    uint32_t root;             /* trie of bits: the first node, or BLOCK_NONE */
};

struct exact_key {
    uint32_t lookup;
    uint32_t value; /* the text, or `low` of LOOKUP_NUMBER */
    struct key_rules rules;
};

#define TRIE_ROOT (UINT32_C(1) << 31) /* parent: with it, the number of a lookup */

/* A node stands for the way to it: one or more components behind its parent's. Its slot is that of
 * the hash of all components up to the first of its own. */
struct trie_node {
    uint32_t parent;
    uint32_t value; /* whose text has the components: `length` bytes from `start` on, */
    uint16_t start; /* counted from the end for LOOKUP_DOMAIN */
    uint16_t length;
    struct key_rules rules; /* count 0: a fork in the way alone */
};

struct bit_node {
    uint32_t value;       /* an address: its first `prefix` bits are the way to this node */
    uint32_t prefix;      /* bits */
    uint32_t children[2]; /* by the bit that follows; BLOCK_NONE: none */
    struct key_rules rules;
};

enum node_kind {
    NODE_TRUE,
    NODE_AND,
    NODE_OR,
    NODE_NOT,
    NODE_PREDICATE,
};

enum node_operator {
    OPERATOR_EQUALS, /* `is` and `in`: one of the values */
    OPERATOR_LIST_EQUALS,
    OPERATOR_NONE,
    OPERATOR_ABSENT,
    OPERATOR_UNDER,
    OPERATOR_MATCHES,
    OPERATOR_STARTS,
    OPERATOR_HAS,
    OPERATOR_HAS_MATCHES,
    OPERATOR_LESS,
    OPERATOR_LESS_OR_EQUAL,
    OPERATOR_GREATER,
    OPERATOR_GREATER_OR_EQUAL,
};

/* Which part of an attribute a predicate speaks of. */
enum node_part {
    PART_WHOLE,
    PART_ELEMENT, /* of a list: `index`, from the end if negative. Of `arg`: the argument `index` */
    PART_KEY,     /* of a map: the text `key` */
    PART_LABEL,   /* of the session: the label whose name is the text `key` */
    PART_ARGUMENT, /* of the event: `key` and `key_count` are a range of SECTION_ARGUMENTS */
};

struct block_node {
    uint8_t kind;          /* enum node_kind */
    uint8_t operator_kind; /* enum node_operator */
    uint8_t attribute;     /* enum attribute_name */
    uint8_t type;          /* enum attribute_type: how values compare, that of the part spoken of */
    uint8_t part;          /* enum node_part */
    uint8_t reserved[3];
    int32_t index;
    uint32_t key;
    uint32_t key_count;
    uint32_t first; /* predicate: of its values; else of its children */
    uint32_t count;
};

enum block_value_kind {
    BLOCK_VALUE_TEXT,       /* text */
    BLOCK_VALUE_RANGE,      /* low..high, one integer if both are the same */
    BLOCK_VALUE_BOOL,       /* low */
    BLOCK_VALUE_ADDRESS,    /* address and prefix */
    BLOCK_VALUE_VERSION,    /* text: 3.9 */
    BLOCK_VALUE_HOST,       /* text: folded, no final dot */
    BLOCK_VALUE_HOST_BELOW, /* text: any name that ends in `.` and it */
    BLOCK_VALUE_PLACE,      /* place and, below it, text */
    BLOCK_VALUE_GLOB,       /* text, literally, and then the glob */
    BLOCK_VALUE_PLACE_GLOB, /* place, text, and then the glob */
};

struct block_value {
    uint8_t kind;  /* enum block_value_kind */
    uint8_t place; /* enum place; BLOCK_VALUE_ADDRESS: bytes of the address */
    uint16_t prefix;
    uint32_t text; /* offset; the length is below, for a text may hold any byte */
    union {
        struct {
            uint32_t length;
            struct block_range glob; /* words */
        };
        struct {
            int64_t low;
            int64_t high;
        };
        uint8_t address[ADDRESS_IPV6_BYTES];
    };
};

_Static_assert(sizeof(struct block_value) == 24, "policies are mostly values");

struct argument_place {
    uint16_t event;
    uint16_t argument;
};

_Static_assert(CLASS_COUNT <= 32, "sets of classes are 32 bits");

static inline const void *block_section(const struct policy_block *block,
                                        enum block_section section)
{
    return (const char *)block + block->sections[section].first;
}

static inline const char *block_text(const struct policy_block *block, uint32_t offset)
{
    return (const char *)block_section(block, SECTION_TEXT) + offset;
}

static inline const struct block_node *block_nodes(const struct policy_block *block)
{
    return (const struct block_node *)block_section(block, SECTION_NODES);
}

static inline const struct block_value *block_values(const struct policy_block *block)
{
    return (const struct block_value *)block_section(block, SECTION_VALUES);
}

/* True if `text` and `length` are the value's. */
static inline bool block_value_has_text(const struct block_value *value)
{
    return value->kind != BLOCK_VALUE_RANGE && value->kind != BLOCK_VALUE_BOOL &&
           value->kind != BLOCK_VALUE_ADDRESS;
}

static inline struct address block_value_address(const struct block_value *value)
{
    struct address address = {.width = value->place};
    memcpy(address.bytes, value->address, sizeof(address.bytes));
    return address;
}

static inline const struct policy_record *block_policy(const struct policy_block *block,
                                                       uint32_t policy)
{
    return (const struct policy_record *)block_section(block, SECTION_POLICIES) + policy;
}

static inline const struct rule_record *block_rule(const struct policy_block *block, uint32_t rule)
{
    return (const struct rule_record *)block_section(block, SECTION_RULES) + rule;
}

static inline const struct override_record *block_override(const struct policy_block *block,
                                                           uint32_t override)
{
    return (const struct override_record *)block_section(block, SECTION_OVERRIDES) + override;
}

/* The checksum that the header should have. */
uint64_t block_checksum(const struct policy_block *block);

#endif
