/*
 * store.h
 *		What the parts of the search for stores share: the tables that they read
 *		without the executor, and whether a place is open.
 */
#ifndef O2O_STORE_H
#define O2O_STORE_H

#include "postgres.h"

#include "access/attnum.h"
#include "access/genam.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "utils/date.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

typedef enum O2oStoreTable
{
	O2O_STORE_LOCATION,
	O2O_STORE_EXCEPTION,
	O2O_STORE_TABLES
} O2oStoreTable;

/* Columns of location that a search reads. */
enum
{
	PLACE_ID,
	PLACE_NAME,
	PLACE_KIND,
	PLACE_ROLES,
	PLACE_SERVICES,
	PLACE_POSITION,
	PLACE_TIME_ZONE,
	PLACE_WEEK_HOURS,
	PLACE_OPENED_ON,
	PLACE_CLOSED_ON,
	PLACE_COLUMNS
};

/* Columns of location_hours_exception. */
enum
{
	EXCEPTION_PLACE,
	EXCEPTION_DAY,
	EXCEPTION_OPENS,
	EXCEPTION_CLOSES,
	EXCEPTION_COLUMNS
};

/* Where the rows are, valid while the tables are locked. */
typedef struct O2oStoreTables
{
	Oid table[O2O_STORE_TABLES];
	Oid index[O2O_STORE_TABLES]; /* by position, and by (place, day) */
	AttrNumber column[O2O_STORE_TABLES][PLACE_COLUMNS];
	Oid in_circle; /* functions of the operators <@ and <-> of the index on the position */
	Oid distance;
} O2oStoreTables;

/* One table with an index of its own, read place by place. */
typedef struct O2oStoreReader
{
	Relation table;
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	const AttrNumber *column;
} O2oStoreReader;

/* A moment as a place sees it. */
typedef struct O2oStoreLocal
{
	text *zone;
	Timestamp time;
	DateADT day;
	int weekday; /* of the day, 0 Monday to 6 Sunday */
	bool steady; /* the clock is not changed in the days around */
} O2oStoreLocal;

#define O2O_STORE_ZONES 16

/* The hours of places at one moment. */
typedef struct O2oStoreHours
{
	TimestampTz at;
	Snapshot snapshot;
	MemoryContext context;
	O2oStoreReader exceptions;
	O2oStoreLocal locals[O2O_STORE_ZONES]; /* time zones met last */
	int zones;
	int next_zone;
} O2oStoreHours;

/* table.c */
extern const O2oStoreTables *o2o_store_tables(void);
extern void
o2o_store_reader_open(O2oStoreReader *reader, const O2oStoreTables *tables, O2oStoreTable table);
extern void o2o_store_reader_close(O2oStoreReader *reader);

/* hours.c */
extern void o2o_store_hours_init(O2oStoreHours *hours, TimestampTz at, Snapshot snapshot);
extern void o2o_store_hours_open(O2oStoreHours *hours, const O2oStoreTables *tables);
extern const O2oStoreLocal *o2o_store_local(O2oStoreHours *hours, Datum zone);
extern bool
o2o_store_open(O2oStoreHours *hours, int64 place, Datum week_hours, const O2oStoreLocal *local);
extern void o2o_store_hours_close(O2oStoreHours *hours);

#endif /* O2O_STORE_H */
