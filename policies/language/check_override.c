/* Overrides: whether what they cancel may be cancelled, and whether it is there at all.
 *
 * What the statement itself says wrong is an error. What depends on other policies is a warning,
 * for those change without asking: a package that renames a rule must not keep this host from
 * loading its policies. An override without a target cancels nothing, so nothing is opened. */
#include "policies/language/check_internal.h"

#include <stdio.h>
#include <string.h>

static struct diagnostic *no_effect(struct checker *checker, const struct override *override,
                                    const char *why)
{
    return report(checker->diagnostics, WARNING_OVERRIDE_WITHOUT_EFFECT, override->reference.span,
                  "this override cancels nothing: %s", why);
}

/* The tier is written in the reference; the policy's own is where it is stored. */
static bool check_tier(struct checker *checker, const struct override *override)
{
    const char *own = policy_tier_name(checker->tier);
    struct diagnostic *error;

    if (override->tier == TIER_MANDATORY) {
        error = report(checker->diagnostics, ERROR_OVERRIDE_OF_MANDATORY, override->reference.span,
                       "nothing overrides a mandatory policy");
        diagnostic_help(error, "remove it, and ask whoever signs that policy to change it");
        return false;
    }
    if (override->tier >= checker->tier)
        return true;
    error = report(checker->diagnostics, ERROR_OVERRIDE_OF_HIGHER, override->reference.span,
                   "a %s policy cannot override a %s one", own, policy_tier_name(override->tier));
    diagnostic_note(error, "an override cancels what is of its own tier or a lower one; from the "
                           "highest they are mandatory, local, vendor");
    diagnostic_help(error, "write it in a policy of this host, and apply that");
    return false;
}

static const struct policy *policy_of_tier(const struct checker *checker, enum policy_tier tier,
                                           const struct word *name)
{
    struct text_buffer key = {0};
    text_buffer_format(&key, "%s/", policy_tier_name(tier));
    text_buffer_add(&key, name->text, name->length);
    const struct policy *found =
        key.failed ? NULL : name_table_find(&checker->context->policies, key.bytes, key.length);
    text_buffer_deinit(&key);
    return found;
}

static void report_no_policy(struct checker *checker, const struct override *override)
{
    struct suggestion suggestion;
    struct diagnostic *warning = report(
        checker->diagnostics, WARNING_OVERRIDE_WITHOUT_TARGET, override->policy.span,
        "there is no %s policy `%.*s` here: this override cancels nothing",
        policy_tier_name(override->tier), (int) override->policy.length, override->policy.text);

    for (int tier = TIER_LOCAL; tier <= TIER_VENDOR; tier++) {
        if (policy_of_tier(checker, (enum policy_tier)tier, &override->policy)) {
            diagnostic_label(warning, "did you mean `%s/%.*s`?",
                             policy_tier_name((enum policy_tier)tier),
                             (int) override->policy.length, override->policy.text);
            return;
        }
    }
    suggestion_init(&suggestion, override->policy.text, override->policy.length);
    for (const struct checked_file *file = checker->context->files;
         file && diagnostics_want_suggestions(checker->diagnostics); file = file->next)
        for (const struct file_item *item = file->tree->items; item; item = item->next)
            if (item->policy && file->checker.tier == override->tier)
                suggestion_offer(&suggestion, item->policy->name.text, item->policy->name.length);
    if (suggestion.best)
        diagnostic_label(warning, "did you mean `%.*s`?", (int)suggestion.best_length,
                         suggestion.best);
    else
        diagnostic_help(warning, "check it together with the file of that policy%s",
                        override->tier == TIER_VENDOR ? ": warder check THIS --vendor THAT" : "");
}

static void report_no_rule(struct checker *checker, const struct override *override)
{
    const struct policy *policy = override->target_policy;
    char defaults[CLASS_COUNT][32];
    struct suggestion suggestion;
    struct diagnostic *warning = report(
        checker->diagnostics, WARNING_OVERRIDE_WITHOUT_TARGET, override->rule.span,
        "policy `%.*s` has no rule `%.*s`: this override cancels nothing", (int)policy->name.length,
        policy->name.text, (int) override->rule.length, override->rule.text);

    suggestion_init(&suggestion, override->rule.text, override->rule.length);
    for (const struct rule *rule = policy->rules;
         rule && diagnostics_want_suggestions(checker->diagnostics); rule = rule->next)
        suggestion_offer(&suggestion, rule->name.text, rule->name.length);
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++) {
        (void)snprintf(defaults[i], sizeof(defaults[i]), "default-%s",
                       vocabulary_class_name((enum operation_class)i));
        suggestion_offer(&suggestion, defaults[i], strlen(defaults[i]));
    }
    if (suggestion.best)
        diagnostic_label(warning, "did you mean `%.*s`?", (int)suggestion.best_length,
                         suggestion.best);
    else
        diagnostic_second(warning, policy->name.span, "its rules are here");
    if (!suggestion.best)
        diagnostic_help(warning, "name a deny of it, or default-CLASS");
}

/* `default-exec`: CLASS_NONE if it is no name of a default. */
static enum operation_class default_named(const struct word *rule)
{
    static const char front[] = "default-";
    const size_t length = strlen(front);

    if (rule->length <= length || memcmp(rule->text, front, length) != 0)
        return CLASS_NONE;
    return vocabulary_class(rule->text + length, rule->length - length);
}

static bool check_default_target(struct checker *checker, struct override *override,
                                 enum operation_class operation_class)
{
    const char *name = vocabulary_class_name(operation_class);
    struct span where;

    override->target_class = operation_class;
    if (default_denies(override->target_policy, operation_class, &where))
        return true;
    if (!override->target_policy->flawed) {
        struct diagnostic *warning =
            report(checker->diagnostics, WARNING_OVERRIDE_WITHOUT_EFFECT, override->rule.span,
                   "this override cancels nothing: `%.*s` does not deny `%s` by default",
                   (int) override->policy.length, override->policy.text, name);
        diagnostic_help(warning, "name the rule that denies");
    }
    return false;
}

static bool check_rule_target(struct checker *checker, struct override *override,
                              const struct rule *rule)
{
    struct diagnostic *warning;

    if (!rule->checked)
        return false; /* its error was reported */
    override->target_rule = rule;
    if (rule->effect == EFFECT_DENY)
        return true;
    if (rule->effect == EFFECT_KILL) {
        warning = no_effect(checker, override, "it names a `kill`");
        diagnostic_help(warning, "remove it: a deny and a default can be cancelled, a kill never");
    } else {
        warning =
            no_effect(checker, override,
                      rule->effect == EFFECT_ALLOW ? "it names an `allow`" : "it names a `log`");
        diagnostic_help(warning, "name the deny, or the default (default-CLASS), that stands in "
                                 "the way");
    }
    diagnostic_second(warning, rule->name.span, NULL);
    return false;
}

/* Finds what it cancels. False, and it was said why, if there is nothing. */
static bool find_overridden(struct checker *checker, struct override *override)
{
    override->target_policy = policy_of_tier(checker, override->tier, &override->policy);
    override->target_class = default_named(&override->rule);
    if (!override->target_policy) {
        report_no_policy(checker, override);
        return false;
    }
    const struct policy *policy = override->target_policy;
    const struct rule *rule =
        policy->rule_names
            ? name_table_find(policy->rule_names, override->rule.text, override->rule.length)
            : NULL;
    if (rule)
        return check_rule_target(checker, override, rule);
    if (override->target_class != CLASS_NONE)
        return check_default_target(checker, override, override->target_class);
    if (!policy->flawed)
        report_no_rule(checker, override);
    return false;
}

/* What the condition is asked about: that of the rule, or of the default's class. Where it is not
 * known, every class, so that mistakes of other kinds are found all the same. */
static struct target target_of(const struct override *override)
{
    if (override->target_rule && override->target_rule->checked->target)
        return *override->target_rule->checked->target;
    struct target target = {.kind = TARGET_EVENTS, .open_ended = true, .span = override->span};
    if (override->target_class != CLASS_NONE) {
        target.kind = TARGET_CLASSES;
        target.open_ended = override->target_class == CLASS_OTHER;
        target.classes = class_bit(override->target_class);
        return target;
    }
    for (int i = CLASS_NONE + 1; i < CLASS_COUNT; i++)
        target.classes |= class_bit((enum operation_class)i);
    return target;
}

/* As an allow's condition: it opens what was closed. */
static void warn_of_condition(struct checker *checker, const struct override *override)
{
    struct checked_rule checked = {.classes = class_bit(override->target_class)};
    struct rule rule = {.effect = EFFECT_ALLOW, .checked = &checked};

    if (override->target_rule) {
        checked = *override->target_rule->checked;
        rule.events = override->target_rule->events;
    }
    check_exception_warnings(checker, &rule, override->condition);
}

/* True if overrides of this policy count at all, wherever they point. */
static bool can_count(struct checker *checker, const struct policy *policy,
                      const struct override *override)
{
    const struct compile_options *options = checker->context->options;

    if (options && options->session) {
        diagnostic_help(no_effect(checker, override, "this policy is not stored on the host"),
                        "overrides count in stored policies alone: warder apply FILE");
        return false;
    }
    if (checker->observes || (policy->modes && policy->modes->observe)) {
        diagnostic_help(no_effect(checker, override, "its policy only observes"),
                        "with `mode enforce` it counts");
        return false;
    }
    return true;
}

static void warn_of_end(struct checker *checker, const struct override *override)
{
    const struct compile_options *options = checker->context->options;

    if (options && options->today > 0 && override->until < options->today)
        diagnostic_help(report(checker->diagnostics, WARNING_OVERRIDE_EXPIRED, override->date_span,
                               "this override has ended, and cancels nothing any more"),
                        "remove it, or give it a later day");
}

void check_overrides(struct checker *checker, struct policy *policy)
{
    for (struct override *override = policy->overrides; override; override = override->next) {
        check_printable(checker, override->reason, "a reason");
        const bool permitted = check_tier(checker, override);
        const bool found =
            permitted && can_count(checker, policy, override) && find_overridden(checker, override);
        checker->target = target_of(override);
        const bool good = !override->condition || check_condition(checker, override->condition);
        if (!found || !good)
            continue;
        override->counts = true;
        warn_of_end(checker, override);
        if (override->condition)
            warn_of_condition(checker, override);
    }
}
