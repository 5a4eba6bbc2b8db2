// The parameters of all methods, each a row of one table: its name on the wire, its type and its range.
//
// What a method takes is said by the method's row; what several parameters must be together is checked by
// constraints_hold, after each has been read by itself.
#ifndef COLOSSUS_WIRE_PARAMETER_H
#define COLOSSUS_WIRE_PARAMETER_H

#include "wire/reader.h"
#include "wire/wire.h"

#define PARAMETER_BIT(parameter) (UINT64_C(1) << (parameter))

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

// Which parameters a leg of reservation.create_group takes, and which it must have.
extern const uint64_t leg_takes;
extern const uint64_t leg_requires;
bool parameter_is_of_leg(const char *name);

const char *parameter_name(enum parameter parameter);
bool parameter_by_name(const char *name, enum parameter *parameter);

// Reads the object of a call's parameters for a method, legs and manifest included. False: the reader says
// what is wrong; *in_manifest when that is inside the manifest.
bool parameters_read(struct reader *reader, json_t *object, const struct method_row *row,
                     struct parameters *parameters, bool *in_manifest);

// Checks what parameters must be together: of a call's or, with `is_leg`, of one leg.
bool constraints_hold(struct reader *reader, enum method method, bool is_leg,
                      const struct parameters *parameters);

// Reads a manifest's JSON into typed values.
bool manifest_read(struct reader *reader, json_t *value, struct manifest *manifest);

#endif
