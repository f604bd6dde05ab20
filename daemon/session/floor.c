#include "daemon/session/floor.h"

#include <stdio.h>
#include <string.h>

#include "policies/engine/index_hash.h"

enum {
    FIRST_PARTS = 8,
};

static uint32_t bit(enum operation_class operation_class)
{
    return UINT32_C(1) << operation_class;
}

void floor_init(struct floor *floor, struct arena *arena)
{
    *floor = (struct floor){
        .arena = arena,
        .exec = path_set_everywhere(arena),
        .read = path_set_everywhere(arena),
        .write = path_set_everywhere(arena),
    };
    network_outline_all(&floor->connect);
    network_outline_all(&floor->bind);
}

/* ------------------------------------------------------------------------------------------ sums
 */

static uint64_t sum_of_paths(uint64_t sum, const struct path_set *set)
{
    sum = index_hash_mix(sum, set->everywhere ? UINT64_MAX : set->count);
    for (size_t i = 0; i < set->count; i++) {
        sum = index_hash_mix(sum, set->items[i].alone ? 1 : 2);
        sum = index_hash_bytes(sum, set->items[i].text, set->items[i].length);
    }
    return sum;
}

static uint64_t sum_of_network(uint64_t sum, const struct network_outline *outline)
{
    sum = index_hash_mix(sum, outline->families);
    for (size_t i = 0; i < PORT_WORDS; i++)
        sum = index_hash_mix(sum, outline->ports[i]);
    return sum;
}

static void keep_part(struct floor *floor, const struct policy_block *block, uint32_t policy,
                      uint64_t sum)
{
    if (floor->part_count == floor->part_capacity) {
        const size_t capacity = floor->part_capacity == 0 ? FIRST_PARTS : 2 * floor->part_capacity;
        struct floor_part *parts = arena_zalloc(floor->arena, capacity, sizeof(*parts));
        if (!parts) {
            floor->failed = true;
            return;
        }
        if (floor->part_count > 0)
            memcpy(parts, floor->parts, floor->part_count * sizeof(*parts));
        floor->parts = parts;
        floor->part_capacity = capacity;
    }
    struct floor_part *part = &floor->parts[floor->part_count++];
    part->sum = sum;
    snprintf(part->policy, sizeof(part->policy), "%s/%s",
             policy_tier_name(policy_tier(block, policy)), policy_name(block, policy));
}

/* ---------------------------------------------------------------------------------------- classes
 */

static void join_named(struct path_set *set, const struct outline_question *question,
                       enum operation_class operation_class)
{
    const struct path_set more = outline_paths(question, operation_class, set->arena);

    if (!more.everywhere)
        path_set_join(set, &more);
}

/* What is executed and what is loaded is read, too: the kernel cannot tell. */
static struct path_set read_outline(const struct outline_question *question, struct arena *arena)
{
    struct path_set set = outline_paths(question, CLASS_READ, arena);

    join_named(&set, question, CLASS_EXEC);
    join_named(&set, question, CLASS_NATIVE);
    return set;
}

static void note_allow(void *context, uint32_t condition)
{
    (void)condition;
    *(bool *)context = true;
}

static void add_paths(struct floor *floor, struct path_set *floored, struct path_set *outline,
                      uint64_t *sum)
{
    path_set_reduce(outline);
    *sum = sum_of_paths(*sum, outline);
    floor->failed |= outline->failed;
    if (floored->everywhere)
        *floored = *outline;
    else if (!outline->everywhere)
        path_set_meet(floored, outline);
}

static void add_network(struct floor *floor, struct network_outline *floored,
                        const struct outline_question *question,
                        enum operation_class operation_class, uint64_t *sum)
{
    struct network_outline outline;

    floor->failed |= !outline_network(question, operation_class, &outline);
    *sum = sum_of_network(*sum, &outline);
    network_outline_meet(floored, &outline);
}

void floor_add(struct floor *floor, const struct policy_block *block, uint32_t policy,
               const struct subject *subject, const struct governing *overriding)
{
    struct policy_floor asked = policy_floor(block, policy);
    const struct outline_question question = {block, policy, subject, overriding};
    struct path_set outline;
    bool forks = false;

    if (policy_observes(block, policy) || asked.classes == 0)
        return;
    outline_visit_allows(&question, CLASS_FORK, note_allow, &forks);
    if (forks) /* by an override: beside an allow there is no such floor */
        asked.classes &= ~bit(CLASS_FORK);
    uint64_t sum = index_hash_mix(asked.classes, asked.required);
    if (asked.classes & bit(CLASS_EXEC)) {
        outline = outline_paths(&question, CLASS_EXEC, floor->arena);
        add_paths(floor, &floor->exec, &outline, &sum);
    }
    if (asked.classes & bit(CLASS_READ)) {
        outline = read_outline(&question, floor->arena);
        add_paths(floor, &floor->read, &outline, &sum);
    }
    if (asked.classes & bit(CLASS_WRITE)) {
        outline = outline_paths(&question, CLASS_WRITE, floor->arena);
        add_paths(floor, &floor->write, &outline, &sum);
    }
    if (asked.classes & bit(CLASS_CONNECT))
        add_network(floor, &floor->connect, &question, CLASS_CONNECT, &sum);
    if (asked.classes & bit(CLASS_BIND))
        add_network(floor, &floor->bind, &question, CLASS_BIND, &sum);
    floor->classes |= asked.classes;
    floor->required |= asked.required & asked.classes;
    keep_part(floor, block, policy, sum);
}

static bool is_all(const struct network_outline *outline)
{
    return outline->families == FLOOR_FAMILIES_ALL && network_outline_has_all_ports(outline);
}

bool floor_settle(struct floor *floor)
{
    if (floor->exec.everywhere)
        floor->classes &= ~bit(CLASS_EXEC);
    if (floor->read.everywhere)
        floor->classes &= ~bit(CLASS_READ);
    if (floor->write.everywhere)
        floor->classes &= ~bit(CLASS_WRITE);
    if (is_all(&floor->connect))
        floor->classes &= ~bit(CLASS_CONNECT);
    if (is_all(&floor->bind))
        floor->classes &= ~bit(CLASS_BIND);
    floor->required &= floor->classes;
    return floor->classes != 0;
}

/* --------------------------------------------------------------------------------------- message
 */

static bool has(const struct floor *floor, enum operation_class operation_class)
{
    return (floor->classes & bit(operation_class)) != 0;
}

static bool has_tree(const struct path_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (!set->items[i].alone)
            return true;
    return false;
}

static struct seccomp_plan plan_of(const struct floor *floor)
{
    const bool connects = has(floor, CLASS_CONNECT);
    const bool binds = has(floor, CLASS_BIND);

    return (struct seccomp_plan){
        .exec = has(floor, CLASS_EXEC),
        .no_exec = has(floor, CLASS_EXEC) && floor->exec.count == 0,
        .no_fork = has(floor, CLASS_FORK),
        .write = has(floor, CLASS_WRITE),
        .no_tree = has(floor, CLASS_WRITE) && !has_tree(&floor->write),
        .connect = connects,
        .all_ports = connects && network_outline_has_all_ports(&floor->connect),
        .connect_families = connects ? floor->connect.families : 0,
        .bind = binds,
        .bind_families = binds ? floor->bind.families : 0,
    };
}

static bool fill_program(const struct floor *floor, struct seccomp_cache *programs,
                         enum seccomp_program_kind kind, ProtobufCBinaryData *out)
{
    const struct seccomp_plan plan = plan_of(floor);
    const struct seccomp_program *program = seccomp_cache_program(programs, &plan, kind);
    /* The next call may replace what the cache has. */
    const char *copy = program ? arena_copy(floor->arena, program->bytes, program->size) : NULL;

    if (copy)
        *out = bytes_field(copy, program->size);
    return copy != NULL;
}

static bool fill_ports(const struct floor *floor, const struct network_outline *outline,
                       uint32_t **ports, size_t *count, protobuf_c_boolean *any)
{
    const uint32_t many = network_outline_port_count(outline);

    *any = many > FLOOR_PORTS_MAX;
    *ports = arena_zalloc(floor->arena, FLOOR_PORTS_MAX, sizeof(**ports));
    if (!*ports)
        return false;
    for (uint32_t port = 0; !*any && port <= UINT16_MAX; port++)
        if (network_outline_has_port(outline, port))
            (*ports)[(*count)++] = port;
    return true;
}

/* The sets of the classes that are held: each path goes once, with all of its classes. */
struct path_classes {
    const struct path_set *set; /* NULL: the class is not held */
    uint32_t classes;
};

/* Adds the paths of one class that no class before it has. */
static bool add_class(const struct floor *floor, const struct path_classes *all, size_t at,
                      size_t count, Warder__V1__Floor *out)
{
    const struct path_set *set = all[at].set;

    for (size_t i = 0; set && i < set->count; i++) {
        const struct floor_path *item = &set->items[i];
        uint32_t classes = 0;
        bool added = false;
        for (size_t j = 0; j < count; j++) {
            if (!all[j].set || !path_set_find(all[j].set, item))
                continue;
            classes |= all[j].classes;
            added |= j < at;
        }
        if (added)
            continue;
        Warder__V1__FloorPath *path = arena_alloc(floor->arena, sizeof(*path));
        if (!path || out->n_paths == FLOOR_PATHS_MAX)
            return false;
        warder__v1__floor_path__init(path);
        path->path = bytes_field(item->text, item->length);
        path->classes = classes;
        path->alone = item->alone;
        out->paths[out->n_paths++] = path;
    }
    return true;
}

static bool fill_paths(const struct floor *floor, Warder__V1__Floor *out)
{
    const struct path_classes all[] = {
        {has(floor, CLASS_EXEC) ? &floor->exec : NULL, bit(CLASS_EXEC)},
        {has(floor, CLASS_READ) ? &floor->read : NULL, bit(CLASS_READ)},
        {has(floor, CLASS_WRITE) ? &floor->write : NULL, bit(CLASS_WRITE)},
    };
    const size_t count = sizeof(all) / sizeof(*all);
    size_t bytes = 0;

    out->paths = arena_zalloc(floor->arena, FLOOR_PATHS_MAX, sizeof(Warder__V1__FloorPath *));
    for (size_t i = 0; i < count; i++)
        if (!out->paths || !add_class(floor, all, i, count, out))
            return false;
    for (size_t i = 0; i < out->n_paths; i++)
        bytes += out->paths[i]->path.len;
    return bytes <= FLOOR_PATH_BYTES_MAX;
}

bool floor_message(const struct floor *floor, struct seccomp_cache *programs,
                   Warder__V1__Floor *out)
{
    if (floor->failed || floor->exec.failed || floor->read.failed || floor->write.failed ||
        !floor_launch_message(floor, programs, out) ||
        !fill_program(floor, programs, SECCOMP_INTERPRETER, &out->interpreter_filter) ||
        !fill_paths(floor, out))
        return false;
    return (!has(floor, CLASS_CONNECT) ||
            fill_ports(floor, &floor->connect, &out->connect_ports, &out->n_connect_ports,
                       &out->any_connect_port)) &&
           (!has(floor, CLASS_BIND) || fill_ports(floor, &floor->bind, &out->bind_ports,
                                                  &out->n_bind_ports, &out->any_bind_port));
}

bool floor_launch_message(const struct floor *floor, struct seccomp_cache *programs,
                          Warder__V1__Floor *out)
{
    warder__v1__floor__init(out);
    out->classes = floor->classes;
    out->required = floor->required;
    return fill_program(floor, programs, SECCOMP_BASE, &out->base_filter);
}
