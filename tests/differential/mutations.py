"""Mistakes that somebody could make: (name, source, what stands there, what stands there then).

What stands there must stand there once. A mistake that only finds more rules than it need is none
(what an index finds is evaluated whole), so there is none of that kind.
"""

EVALUATE = "policies/engine/evaluate.c"
CONDITION = "policies/engine/condition.c"
COMPARISON = "policies/engine/comparison.c"
PATH_TEXT = "policies/engine/path_text.c"
OPERAND = "policies/engine/operand.c"
OVERRIDE = "policies/engine/override.c"
ADDRESS = "policies/engine/address.c"
RULE_INDEX = "policies/engine/rule_index.c"
EMIT = "policies/language/emit.c"
EMIT_INDEX = "policies/language/emit_index.c"
EMIT_KEY = "policies/language/emit_key.c"
EMIT_TRIE = "policies/language/emit_trie.c"

MUTATIONS = [
    # The evaluator.
    ("under-takes-half-a-component", PATH_TEXT,
     "return path_length == directory_length || path[directory_length] == '/';", "return true;"),
    ("last-literal-of-a-list-is-skipped", CONDITION,
     "i < node->count && truth != TRUTH_TRUE; i++) {\n        truth = either(truth, compare(",
     "i + (node->count > 1) < node->count && truth != TRUTH_TRUE; i++) {\n        truth = either(truth, compare("),
    ("deny-sees-one-form-of-paths", EVALUATE, "(rule->flags & RULE_HAS_PATHS) && truth", "false && truth"),
    ("allow-sees-the-path-as-written", EVALUATE, "question->resolved = rule->effect == EFFECT_ALLOW;",
     "question->resolved = false;"),
    ("unknown-is-not-told", EVALUATE, "fire_deny(fired, index, truth == TRUTH_UNKNOWN);",
     "fire_deny(fired, index, false);"),
    ("an-unknown-kill-kills", EVALUATE, "if (truth == TRUTH_TRUE)\n            fired->kill = index;",
     "if (truth != TRUTH_FALSE)\n            fired->kill = index;"),
    ("the-last-allow-answers", EVALUATE, "index >= fired->allow)",
     "(fired->allow != POLICY_NO_INDEX && index <= fired->allow))"),
    ("the-last-policy-answers", EVALUATE, "opinion->verdict <= *verdict)", "opinion->verdict < *verdict)"),
    ("a-marked-value-is-compared", CONDITION, "if (value->marks || !budget_pay", "if (!budget_pay"),
    ("the-ninth-log-rule-never-moves-another", EVALUATE, "(judge->logs_before < JUDGEMENT_LOGS_MAX &&",
     "(false &&"),
    ("an-override-ends-a-day-early", OVERRIDE, "record->until < overriding->today",
     "record->until <= overriding->today"),
    ("an-override-of-nobody-here-counts", OVERRIDE, "!is_in_force(overriding, record->by)", "false"),
    ("a-mapped-address-stays-ipv6", ADDRESS, "if (address->width != ADDRESS_IPV6_BYTES", "if (true"),
    ("a-wildcard-host-takes-half-a-label", COMPARISON, "host.bytes[host.length - name.length - 1] != '.')", "false)"),
    ("a-name-nobody-looked-up-is-absent", OPERAND, "question->names_doubted ? unknown : absent", "absent"),
    ("a-second-key-of-a-map-is-not-seen", OPERAND, "if (found.state == OPERAND_HERE)\n            return unknown;",
     "if (found.state == OPERAND_HERE)\n            break;"),
    # Looking up.
    ("index-forgets-what-is-marked", RULE_INDEX, "if (value_is_marked(value)) {\n        visit_strict(search);",
     "if (value_is_marked(value)) {"),
    ("index-looks-up-one-form", RULE_INDEX, "if (node->type != TYPE_PATH)\n        return;\n", "return;\n"),
    ("index-takes-forms-of-one-length-for-one", RULE_INDEX,
     "(a->value.count == 0 || a->value.bytes == b->value.bytes ||\n            "
     "memcmp(a->value.bytes, b->value.bytes, a->value.count) == 0)", "true"),
    ("index-forgets-the-root-of-a-trie", RULE_INDEX, "visit_key(search, search->lookup->at_root);", ""),
    ("index-stops-at-the-first-node", RULE_INDEX, "        visit_key(search, node->rules);\n    }\n}\n\nstatic unsigned bit_of",
     "        visit_key(search, node->rules);\n        return;\n    }\n}\n\nstatic unsigned bit_of"),
    ("index-takes-the-other-bit", RULE_INDEX, "at = node->children[bit_of(&address, node->prefix)];",
     "at = node->children[!bit_of(&address, node->prefix)];"),
    ("index-ends-with-the-first-block", RULE_INDEX, "            visit_key(search, node->rules);\n        }\n        if (node->prefix >=",
     "            visit_key(search, node->rules);\n            return;\n        }\n        if (node->prefix >="),
    ("index-knows-no-true-as-a-number", RULE_INDEX, "*number = value->truth ? 1 : 0;\n        return true;",
     "return false;"),
    ("index-looks-at-the-first-element", RULE_INDEX, "find_elements(search, operand, 0, UINT32_MAX);",
     "find_elements(search, operand, 0, 1);"),
    ("index-takes-a-cut-list-for-whole", RULE_INDEX, "if (value_is_cut(&list->value))\n        visit_strict(search);", ""),
    ("index-looks-in-the-first-path-of-a-place", RULE_INDEX, "for (size_t i = 0; i < paths->count; i++) {",
     "for (size_t i = 0; i < paths->count && i < 1; i++) {"),
    ("index-minds-the-final-dot", RULE_INDEX, "if (host.length > 0 && host.bytes[host.length - 1] == '.')\n        host.length--;\n    if (!pay",
     "if (!pay"),
    ("index-forgets-hosts-that-are-not-ascii", RULE_INDEX, "            visit_strict(search);\n            return;\n        }\n    }\n    if (search->lookup->kind == LOOKUP_HOST)",
     "            return;\n        }\n    }\n    if (search->lookup->kind == LOOKUP_HOST)"),
    ("index-minds-the-case-of-hosts", RULE_INDEX, "const bool fold = search->lookup->kind == LOOKUP_HOST;",
     "const bool fold = false;"),
    ("index-forgets-rules-on-all-classes", EVALUATE, "if (operation_class != CLASS_NONE)\n        rule_set_visit",
     "if (false)\n        rule_set_visit"),
    ("index-forgets-rules-on-an-event", EVALUATE, "return low < end && sets[low].event == event ? sets[low].rules : 0;",
     "return low + 1 < end && sets[low].event == event ? sets[low].rules : 0;"),
    # Building.
    ("builder-keeps-the-first-literal-alone", EMIT_KEY, "const uint32_t count = one ? 1 : node->count;",
     "const uint32_t count = 1;"),
    ("builder-keeps-the-first-side-of-an-or", EMIT_INDEX, "i < count && either; i++)", "i < 1 && either; i++)"),
    ("builder-knows-no-unknown-denials", EMIT_INDEX, "->effect == EFFECT_ALLOW)\n                continue;",
     "->effect != EFFECT_LOG)\n                continue;"),
    ("builder-keeps-half-a-component-of-a-glob", EMIT_KEY, "    while (length > 0 && text[length - 1] != separator)\n        length--;\n    return length > 0 ? length - 1 : 0;",
     "    return length;"),
    ("builder-passes-over-a-side-of-an-or", EMIT_INDEX,
     "        if (!add_keys(set, first + i))\n            return false;",
     "        if (i == 0 && !add_keys(set, first + i))\n            return false;"),
    ("builder-takes-a-set-for-a-name", EMIT_KEY, "at += (uint32_t)glob_word_size(words, count, at)", "at++"),
    ("builder-takes-a-star-for-a-separator", EMIT_KEY, "            certain = false;\n", "            first = at + 1;\n"),
    ("index-looks-at-another-element", RULE_INDEX, "search->lookup->position, 1);", "0, 1);"),
    ("builder-ends-an-address-early", EMIT_TRIE, "while (ones < count && bit_of(&keys[ones], prefix) == 0)",
     "while (ones < count && bit_of(&keys[ones], prefix) == 1)"),
]
