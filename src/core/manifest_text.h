// The typed manifest as JSON: what an export shows, what events record, and what tells two manifests apart.
//
// Each function writes the members of one thing, in the order of the manifest's documentation; the caller
// opens and closes the object. What was left out is left out.
#ifndef COLOSSUS_CORE_MANIFEST_TEXT_H
#define COLOSSUS_CORE_MANIFEST_TEXT_H

#include "base/json.h"
#include "core/manifest.h"

void manifest_write(struct json *json, const struct manifest *manifest);
void manifest_write_site(struct json *json, const struct manifest_site *site);
void manifest_write_contract(struct json *json, const struct manifest_contract *contract);

// "rate_limit": {"per_second": ..., "burst": ...}, the burst only where there is a limit.
void manifest_write_rate_limit(struct json *json, const struct rate_limit *rate_limit);

#endif
