/*
 * person.c
 *		Who an identifier means at a moment. Who recognises people, and registers
 *		what is new, is resolve.c.
 */
#include "identity/identity.h"
#include "identity/model.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(o2o_identifier_profile);

/* Whether an identifier of this kind that was last seen then is still somebody's. */
static bool
is_alive(Datum identifier, TimestampTz last_seen_at, TimestampTz as_of, bool read_only)
{
	O2OModelCall call = {0};
	Datum ends;
	Datum time_to_live;
	bool is_null;

	o2o_model_arg(&call, DirectFunctionCall1(o2o_identifier_kind, identifier), false);
	if (o2o_model_run(O2O_SELECT_TIME_TO_LIVE, &call, read_only) == 0)
		return false;
	time_to_live = o2o_model_value(0, 1, &is_null);
	if (is_null)
		return true;
	ends = DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(last_seen_at),
							   time_to_live);
	return DatumGetTimestampTz(ends) > as_of;
}

/*
 * The profile that an identifier means; false: nobody's, for it was never seen, is shared, or was
 * not seen for longer than its kind's time to live.
 */
bool
o2o_identifier_profile_at(Datum identifier, TimestampTz as_of, bool read_only, int64 *profile_id)
{
	O2OModelCall call = {0};
	bool is_found;
	bool is_null;

	o2o_model_connect(o2o_identifier_type());
	o2o_model_arg(&call, identifier, false);
	is_found = o2o_model_run(O2O_SELECT_HOLDER, &call, read_only) > 0 &&
			   !DatumGetBool(o2o_model_value(0, 2, &is_null));
	if (is_found)
	{
		*profile_id = o2o_model_int64(0, 1);
		is_found = is_alive(identifier, DatumGetTimestampTz(o2o_model_value(0, 3, &is_null)), as_of,
							read_only);
	}
	SPI_finish();
	return is_found;
}

/* identifier_profile(identifier, as_of) */
Datum
o2o_identifier_profile(PG_FUNCTION_ARGS)
{
	int64 profile_id;

	if (!o2o_identifier_profile_at(PG_GETARG_DATUM(0), PG_GETARG_TIMESTAMPTZ(1), true, &profile_id))
		PG_RETURN_NULL();
	PG_RETURN_INT64(profile_id);
}
