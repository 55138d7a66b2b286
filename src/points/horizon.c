/*
 * horizon.c
 *		Since when somebody else may still be writing. Times only: who is
 *		connected and what they run stays hidden from the caller.
 */
#include "o2o.h"

#include "compat.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(o2o_writer_horizon);

/* Start of the oldest transaction that another session of this database has open; infinity without one. */
Datum
o2o_writer_horizon(PG_FUNCTION_ARGS)
{
	TimestampTz horizon = DT_NOEND;
	int count;

	/* Sessions that do not report, or may not, could have begun at any time. */
	if (!pgstat_track_activities)
		PG_RETURN_TIMESTAMPTZ(DT_NOBEGIN);
	/* What was read before in this transaction is not the present. */
	pgstat_clear_backend_activity_snapshot();
	count = pgstat_fetch_stat_numbackends();
	for (int i = 1; i <= count; i++)
	{
		LocalPgBackendStatus *local = o2o_local_backend_status(i);
		PgBackendStatus *status = local ? &local->backendStatus : NULL;

		if (status == NULL || status->st_procpid == MyProcPid ||
			status->st_databaseid != MyDatabaseId || status->st_xact_start_timestamp == 0)
			continue;
		if (status->st_backendType != B_BACKEND && status->st_backendType != B_BG_WORKER)
			continue;
		horizon = Min(horizon, status->st_xact_start_timestamp);
	}
	PG_RETURN_TIMESTAMPTZ(horizon);
}
