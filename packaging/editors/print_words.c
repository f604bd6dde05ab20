/* Prints the words of the policy language as JSON, from the lists that the parser reads by:
 * generate.py makes the editors' grammars of them. */
#include <stdio.h>

#include "policies/engine/subject.h"
#include "policies/engine/vocabulary.h"
#include "policies/language/words.h"

static const char *const group_names[WORD_GROUP_COUNT] = {
    [WORDS_FILE] = "file", [WORDS_STATEMENT] = "statement", [WORDS_TEST_FILE] = "test_file",
    [WORDS_TEST] = "test", [WORDS_EFFECT] = "effect",       [WORDS_CLAUSE] = "clause",
    [WORDS_JOIN] = "join", [WORDS_OPERATOR] = "operator",   [WORDS_CONSTANT] = "constant",
};

static const char *class_name(int number)
{
    return vocabulary_class_name((enum operation_class)number);
}

static const char *attribute_name(int number)
{
    return vocabulary_attribute_name((enum attribute_name)number);
}

static const char *name_of_place(int number)
{
    return place_name((enum place)number);
}

static void print_names(const char *group, int first, int end, const char *(*name_of)(int))
{
    printf(",\n  \"%s\": [", group);
    for (int i = first; i < end; i++)
        printf("%s\"%s\"", i > first ? ", " : "", name_of(i));
    printf("]");
}

int main(void)
{
    printf("{");
    for (int group = 0; group < WORD_GROUP_COUNT; group++) {
        const char *const *words = grammar_words((enum word_group)group);
        printf("%s\n  \"%s\": [", group > 0 ? "," : "", group_names[group]);
        for (size_t i = 0; words[i]; i++)
            printf("%s\"%s\"", i > 0 ? ", " : "", words[i]);
        printf("]");
    }
    print_names("class", CLASS_NONE + 1, CLASS_COUNT, class_name);
    print_names("attribute", ATTRIBUTE_NONE + 1, ATTRIBUTE_COUNT, attribute_name);
    print_names("place", 0, PLACE_COUNT, name_of_place);
    printf("\n}\n");
    return 0;
}
