/* Overrides name policies and rules by their place in the block, and lie in the order in which the
 * evaluator looks for them: by what they cancel. */
#include "policies/language/emit.h"

#include <stdlib.h>
#include <string.h>

/* The key by which the evaluator finds it, and what makes the order one of content alone. */
struct placed_override {
    const struct override *override;
    uint32_t by;
    uint32_t target;
    uint32_t rule;
    uint32_t operation_class;
};

static int by_number(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_text(struct span a, struct span b)
{
    const uint32_t shorter = a.length < b.length ? a.length : b.length;
    const int order = memcmp(a.source->text + a.offset, b.source->text + b.offset, (size_t)shorter);
    return order != 0 ? order : by_number(a.length, b.length);
}

static int by_place(const void *a, const void *b)
{
    const struct placed_override *left = a;
    const struct placed_override *right = b;

    if (left->target != right->target)
        return by_number(left->target, right->target);
    if (left->rule != right->rule)
        return by_number(left->rule, right->rule);
    if (left->operation_class != right->operation_class)
        return by_number(left->operation_class, right->operation_class);
    if (left->by != right->by)
        return by_number(left->by, right->by);
    return by_text(left->override->span, right->override->span);
}

static struct placed_override placed(const struct pending_override *pending)
{
    const struct override *override = pending->override;
    return (struct placed_override){
        .override = override,
        .by = pending->by,
        .target = override->target_policy->index,
        .rule = override->target_rule ? override->target_rule->checked->index : RULE_DEFAULT,
        .operation_class = override->target_rule ? CLASS_NONE : override->target_class,
    };
}

static void emit_override(struct emitter *emitter, uint32_t index,
                          const struct placed_override *from)
{
    const struct override *override = from->override;
    struct override_record record = {
        .by = from->by,
        .target = from->target,
        .rule = from->rule,
        .operation_class = from->operation_class,
        .condition = (uint32_t)BLOCK_NONE,
        .until = override->until,
        .reason = emit_text(emitter, override->reason->text, override->reason->length),
    };

    if (override->condition) {
        record.condition = emit_reserve(emitter, SECTION_NODES, sizeof(struct block_node), 1);
        (void)emit_condition(emitter, record.condition, override->condition);
    }
    struct override_record *put = emit_at(emitter, SECTION_OVERRIDES, sizeof(record), index);
    struct policy_record *target =
        emit_at(emitter, SECTION_POLICIES, sizeof(struct policy_record), from->target);
    if (!put || !target)
        return;
    *put = record;
    emit_place(emitter, MAPPED_OVERRIDE, index, override->span);
    if (target->overrides.count == 0)
        target->overrides.first = index;
    target->overrides.count++;
}

void emit_overrides(struct emitter *emitter)
{
    size_t count = 0;
    for (const struct pending_override *pending = emitter->overrides; pending;
         pending = pending->next)
        count++;
    struct placed_override *all = storage_take(emitter->storage, count + 1, sizeof(*all));
    if (!all) {
        emitter->failed = true;
        return;
    }
    count = 0;
    for (const struct pending_override *pending = emitter->overrides; pending;
         pending = pending->next)
        all[count++] = placed(pending);
    if (count > 0)
        qsort(all, count, sizeof(*all), by_place);
    const uint32_t first =
        emit_reserve(emitter, SECTION_OVERRIDES, sizeof(struct override_record), count);
    for (size_t i = 0; i < count; i++)
        emit_override(emitter, first + (uint32_t)i, &all[i]);
}
