/* What every unit test includes before anything else: cmocka wants these headers first. */
#ifndef WARDER_TESTS_UNIT_UNIT_TEST_H
#define WARDER_TESTS_UNIT_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
