/* Texts of a test as the engine takes them: terminated, in the storage. */
#ifndef WARDER_POLICIES_SCENE_SCENE_TEXT_H
#define WARDER_POLICIES_SCENE_SCENE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "policies/language/storage.h"

/* The absolute path `text`, normalised; one with a drive or a `\` at its front, as Windows has
 * them, as it stands. NULL if it is none of them, or holds a NUL, or is too long. */
const char *scene_path(struct storage *storage, const char *text, size_t length);

#endif
