/* Digits of base sixteen, in either case. */
#ifndef WARDER_POLICIES_ENGINE_HEXADECIMAL_H
#define WARDER_POLICIES_ENGINE_HEXADECIMAL_H

/* -1: it is none. */
static inline int hexadecimal_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

#endif
