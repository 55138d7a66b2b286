/*
 * party.h
 *		Profiles, customers and programs, looked up.
 */
#ifndef O2O_POINTS_PARTY_H
#define O2O_POINTS_PARTY_H

#include "points/request.h"

extern int64 o2o_points_customer_of(o2o_ledger *ledger, int64 profile_id);
extern int64
o2o_points_customer_with(o2o_ledger *ledger, int64 profile_id, int64 **profiles, int *count);
extern int o2o_points_profiles_of(o2o_ledger *ledger, int64 customer_id, int64 **profiles);
extern int64 o2o_points_contra(o2o_ledger *ledger, o2o_points_program *program,
							   const o2o_points_operation *operation);
extern o2o_points_program *o2o_points_program_of(o2o_ledger *ledger, List **programs, text *name);
extern void o2o_points_reserve_draw(List *programs);

#endif /* O2O_POINTS_PARTY_H */
