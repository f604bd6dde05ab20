#include "client/cli/daemon_signal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "policies/catalogue/catalogue.h"
#include "policies/engine/evaluate.h"

static struct value word(const char *text)
{
    return value_text(text, strlen(text));
}

bool daemon_signal_is_allowed(const struct policy_block *block)
{
    static const char name[] = "os.kill";
    const uint32_t count = policy_block_policy_count(block);
    const struct event_entry *entry = catalogue_find(name, strlen(name));
    /* Whose number it is, nobody knows: what asks for one is unknown. */
    const struct value arguments[] = {value_unknown(), value_int(SIGKILL)};
    const struct attribute attributes[] = {
        {.name = ATTRIBUTE_TARGET, .value = word("other")},
        {.name = ATTRIBUTE_PID, .value = value_unknown()},
        {.name = ATTRIBUTE_SIGNAL, .value = value_int(SIGKILL)},
        {.name = ATTRIBUTE_ACTION, .value = word("signal")},
    };
    const struct operation operation = {.operation_class = CLASS_SIGNAL,
                                        .attribute_count = sizeof(attributes) / sizeof(*attributes),
                                        .attributes = attributes};
    const struct event event = {.number = entry ? entry->number : EVENT_UNKNOWN,
                                .name = name,
                                .name_length = sizeof(name) - 1,
                                .argument_count = sizeof(arguments) / sizeof(*arguments),
                                .arguments = arguments,
                                .operation_count = 1,
                                .operations = &operation};
    const struct subject anyone = {.platform = "linux"};
    struct judgement judgement;
    uint32_t *all = calloc((size_t)count + 1, sizeof(*all));

    if (!all)
        return false;
    for (uint32_t i = 0; i < count; i++)
        all[i] = i;
    const struct governing governing = {.policies = all, .count = count};
    evaluate(block, &governing, &anyone, &event, &judgement);
    free(all);
    return judgement.verdict == VERDICT_ALLOW;
}
