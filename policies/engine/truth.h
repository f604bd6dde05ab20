/* Three values: what is true, what is false, and what could not be known for certain
 * (policy-language, "Three values"). */
#ifndef WARDER_POLICIES_ENGINE_TRUTH_H
#define WARDER_POLICIES_ENGINE_TRUTH_H

/* In an order that makes `and` the least and `or` the greatest. */
enum truth {
    TRUTH_FALSE,
    TRUTH_UNKNOWN,
    TRUTH_TRUE,
};

#endif
