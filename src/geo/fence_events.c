/*
 * fence_events.c
 *		geofence_events(): when devices entered, stayed in and left fences, rows
 *		of arrays of pings and of fences.  Which fences hold a ping is decided in
 *		fence.c and fence_polygon.c.
 *
 * The pings are put into the order of device and time, so the order in which
 * they came does not matter.  Of a device only the visits that go on are kept;
 * the answer goes to a tuple store, which goes to disk beyond work_mem.
 */
#include "o2o.h"

#include <math.h>

#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "geo/arrays.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_geofence_circle_events);
PG_FUNCTION_INFO_V1(o2o_geofence_polygon_events);

typedef struct Pings
{
	int64 *ids;
	int64 *times;
	Datum *positions;
	bool *unplaced;
	int count;
	uint32 *order;
} Pings;

/* What happens at one ping, in the order in which it is told. */
typedef enum EventKind
{
	EVENT_ENTER,
	EVENT_DWELL,
	EVENT_EXIT
} EventKind;

static const char *const event_name[] = {"enter", "dwell", "exit"};

typedef struct Visit
{
	int fence;
	bool dwelt;
	TimestampTz entered_at;
	TimestampTz last_inside_at;
} Visit;

typedef struct Event
{
	int fence;
	EventKind kind;
	TimestampTz entered_at;
	TimestampTz last_inside_at;
} Event;

typedef struct Tracker
{
	O2oGeoFences index;
	int64 min_dwell; /* microseconds */
	double hysteresis;
	Visit *visits; /* of the device, that go on */
	int visit_count;
	int visit_room;
	int *visit_of; /* by fence: its place among them, or -1 */
	Event *events; /* of the ping */
	int event_count;
	int event_room;
	TimestampTz now;
	ReturnSetInfo *result;
} Tracker;

/* By device, then time; what is told of the same moment in the order of the array. */
static int
by_device_and_time(const void *a, const void *b, void *arg)
{
	const Pings *pings = arg;
	uint32 one = *(const uint32 *) a;
	uint32 two = *(const uint32 *) b;
	int64 left = pings->ids[one];
	int64 right = pings->ids[two];

	if (left == right)
	{
		left = pings->times[one];
		right = pings->times[two];
	}
	if (left == right)
	{
		left = one;
		right = two;
	}
	return left < right ? -1 : left > right;
}

static void
read_pings(FunctionCallInfo fcinfo, Pings *pings)
{
	int times;
	int positions;

	pings->ids = o2o_geo_ids(fcinfo, 0, &pings->count);
	pings->times = o2o_geo_ids(fcinfo, 1, &times);
	pings->positions =
		o2o_geo_elements(fcinfo, 2, 8, TYPALIGN_DOUBLE, &pings->unplaced, &positions);
	o2o_geo_check_lengths("times", pings->count, times);
	o2o_geo_check_lengths("positions", pings->count, positions);
	pings->order = o2o_geo_room(pings->count, sizeof(uint32));
	for (int i = 0; i < pings->count; i++)
	{
		if (TIMESTAMP_NOT_FINITE(pings->times[i]))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("time of a ping must be finite")));
		pings->order[i] = (uint32) i;
	}
	qsort_interruptible(pings->order, pings->count, sizeof(uint32), by_device_and_time, pings);
}

/* Microseconds of an interval that has a length. */
static int64
dwell_of(const Interval *interval)
{
	int64 micros;

	if (interval->month != 0 || pg_mul_s64_overflow(interval->day, USECS_PER_DAY, &micros) ||
		pg_add_s64_overflow(micros, interval->time, &micros) || micros < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("shortest dwell must be zero or more, in days and smaller units"),
						errdetail("A day counts as 24 hours, a month has no fixed length.")));
	return micros;
}

static void
check_hysteresis(double metres)
{
	if (!(metres >= 0.0 && metres <= O2O_GEO_HYSTERESIS_MAX))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("exit hysteresis must be between 0 and %.0f metres",
							   O2O_GEO_HYSTERESIS_MAX),
						errdetail("It is %g.", metres)));
}

static void
add_event(Tracker *tracker, EventKind kind, const Visit *visit)
{
	Event *event;

	if (tracker->event_count == tracker->event_room)
	{
		tracker->event_room *= 2;
		tracker->events = repalloc_huge(tracker->events, tracker->event_room * sizeof(Event));
	}
	event = &tracker->events[tracker->event_count++];
	event->fence = visit->fence;
	event->kind = kind;
	event->entered_at = visit->entered_at;
	event->last_inside_at = visit->last_inside_at;
}

static void
note_dwell(Tracker *tracker, Visit *visit)
{
	int64 stayed;

	/* times may be farther apart than a number of microseconds tells */
	if (visit->dwelt || (!pg_sub_s64_overflow(tracker->now, visit->entered_at, &stayed) &&
						 stayed < tracker->min_dwell))
		return;
	visit->dwelt = true;
	add_event(tracker, EVENT_DWELL, visit);
}

static void
end_visit(Tracker *tracker, int at)
{
	tracker->visit_of[tracker->visits[at].fence] = -1;
	tracker->visits[at] = tracker->visits[--tracker->visit_count];
	if (at < tracker->visit_count)
		tracker->visit_of[tracker->visits[at].fence] = at;
}

/* A fence that holds the ping. */
static void
enter_fence(int fence, void *arg)
{
	Tracker *tracker = arg;
	Visit *visit;

	if (tracker->visit_of[fence] >= 0)
		return;
	if (tracker->visit_count == tracker->visit_room)
	{
		tracker->visit_room *= 2;
		tracker->visits = repalloc_huge(tracker->visits, tracker->visit_room * sizeof(Visit));
	}
	tracker->visit_of[fence] = tracker->visit_count;
	visit = &tracker->visits[tracker->visit_count++];
	visit->fence = fence;
	visit->dwelt = false;
	visit->entered_at = visit->last_inside_at = tracker->now;
	add_event(tracker, EVENT_ENTER, visit);
	note_dwell(tracker, visit);
}

static int
by_fence(const void *a, const void *b, void *arg)
{
	const O2oGeoFence *fences = arg;
	const Event *one = a;
	const Event *two = b;
	int64 left = fences[one->fence].id;
	int64 right = fences[two->fence].id;

	if (left != right)
		return left < right ? -1 : 1;
	if (one->fence != two->fence)
		return one->fence < two->fence ? -1 : 1;
	return (int) one->kind - (int) two->kind;
}

static void
tell_events(Tracker *tracker, int64 id)
{
	ReturnSetInfo *result = tracker->result;

	qsort_arg(tracker->events, tracker->event_count, sizeof(Event), by_fence,
			  (void *) tracker->index.fences);
	for (int i = 0; i < tracker->event_count; i++)
	{
		const Event *event = &tracker->events[i];
		Datum values[6];
		bool nulls[6] = {false, false, false, false, false, false};

		values[0] = Int64GetDatum(id);
		values[1] = Int64GetDatum(tracker->index.fences[event->fence].id);
		values[2] = CStringGetTextDatum(event_name[event->kind]);
		values[3] = TimestampTzGetDatum(tracker->now);
		values[4] = TimestampTzGetDatum(event->entered_at);
		values[5] = TimestampTzGetDatum(event->last_inside_at);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
		pfree(DatumGetPointer(values[2]));
	}
	tracker->event_count = 0;
}

static void
take_ping(Tracker *tracker, O2oGeoPoint point)
{
	for (int i = tracker->visit_count - 1; i >= 0; i--)
	{
		Visit *visit = &tracker->visits[i];

		if (o2o_geo_fence_beyond(&tracker->index, visit->fence, point, tracker->hysteresis))
		{
			add_event(tracker, EVENT_EXIT, visit);
			end_visit(tracker, i);
			continue;
		}
		visit->last_inside_at = tracker->now;
		note_dwell(tracker, visit);
	}
	o2o_geo_fences_at(&tracker->index, point, enter_fence, tracker);
}

static Datum
tell_all(FunctionCallInfo fcinfo, const O2oGeoFence *fences, int count, const O2oGeoRings *rings)
{
	Tracker tracker = {0};
	Pings pings;

	tracker.min_dwell = dwell_of(PG_GETARG_INTERVAL_P(5));
	tracker.hysteresis = PG_GETARG_FLOAT8(6);
	check_hysteresis(tracker.hysteresis);
	read_pings(fcinfo, &pings);
	InitMaterializedSRF(fcinfo, 0);
	tracker.result = (ReturnSetInfo *) fcinfo->resultinfo;
	o2o_geo_fences_index(&tracker.index, fences, count, rings);
	tracker.visit_of = o2o_geo_room(count, sizeof(int));
	memset(tracker.visit_of, -1, (Size) count * sizeof(int));
	tracker.visit_room = tracker.event_room = 16;
	tracker.visits = palloc(tracker.visit_room * sizeof(Visit));
	tracker.events = palloc(tracker.event_room * sizeof(Event));

	for (int i = 0; i < pings.count; i++)
	{
		uint32 at = pings.order[i];

		CHECK_FOR_INTERRUPTS();
		if (i > 0 && pings.ids[at] != pings.ids[pings.order[i - 1]])
			while (tracker.visit_count > 0)
				end_visit(&tracker, tracker.visit_count - 1);
		if (pings.unplaced[at])
			continue;
		tracker.now = pings.times[at];
		take_ping(&tracker, DatumGetGeoPoint(pings.positions[at]));
		if (tracker.event_count > 0)
			tell_events(&tracker, pings.ids[at]);
	}
	return (Datum) 0;
}

/* The fences that are not null, without their shapes yet. */
static O2oGeoFence *
read_fences(const int64 *ids, const bool *missing, int count, Size other_bytes)
{
	O2oGeoFence *fences;

	o2o_geo_check_memory("fences",
						 o2o_geo_fences_size(count) + (Size) count * sizeof(int) + other_bytes);
	fences = o2o_geo_room(count, sizeof(O2oGeoFence));
	for (int i = 0, found = 0; i < count; i++)
	{
		if (missing[i])
			continue;
		fences[found].id = ids[i];
		fences[found].first_ring = fences[found].ring_count = 0;
		found++;
	}
	return fences;
}

Datum
o2o_geofence_circle_events(PG_FUNCTION_ARGS)
{
	int count;
	int circle_count;
	int found = 0;
	bool *missing;
	int64 *ids = o2o_geo_ids(fcinfo, 3, &count);
	Datum *circles =
		o2o_geo_elements(fcinfo, 4, sizeof(O2oGeoCircle), TYPALIGN_DOUBLE, &missing, &circle_count);
	O2oGeoFence *fences;

	o2o_geo_check_lengths("fences", count, circle_count);
	fences = read_fences(ids, missing, count, 0);
	for (int i = 0; i < count; i++)
		if (!missing[i])
			fences[found++].circle = *DatumGetGeoCircle(circles[i]);
	return tell_all(fcinfo, fences, found, NULL);
}

Datum
o2o_geofence_polygon_events(PG_FUNCTION_ARGS)
{
	int count;
	int area_count;
	int found = 0;
	bool *missing;
	int64 *ids = o2o_geo_ids(fcinfo, 3, &count);
	Datum *areas = o2o_geo_elements(fcinfo, 4, -1, TYPALIGN_INT, &missing, &area_count);
	O2oGeoFence *fences = NULL;
	O2oGeoRings rings = {0};

	o2o_geo_check_lengths("fences", count, area_count);
	/* counted first, then read into room of that size */
	for (int round = 0; round < 2; round++)
	{
		if (round == 1)
		{
			fences = read_fences(ids, missing, count,
								 (Size) rings.ring_count * sizeof(O2oGeoRing) +
									 (Size) rings.vertex_count * sizeof(O2oGeoVertex));
			rings.rings = o2o_geo_room(rings.ring_count, sizeof(O2oGeoRing));
			rings.vertices = o2o_geo_room(rings.vertex_count, sizeof(O2oGeoVertex));
			rings.ring_count = rings.vertex_count = 0;
		}
		for (int i = 0; i < count; i++)
		{
			bytea *wkb;
			int before = rings.ring_count;

			CHECK_FOR_INTERRUPTS();
			if (missing[i])
				continue;
			wkb = DatumGetByteaPP(areas[i]);
			if (!o2o_geo_rings_add(&rings, (const uint8_t *) VARDATA_ANY(wkb),
								   VARSIZE_ANY_EXHDR(wkb)) ||
				rings.vertex_count > INT_MAX / 2)
				ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
								errmsg("not the binary form of a polygon in degrees"),
								errdetail("It is number %d of the fences.", i + 1)));
			if (round == 0)
				continue;
			fences[found].first_ring = before;
			fences[found++].ring_count = rings.ring_count - before;
		}
	}
	return tell_all(fcinfo, fences, found, &rings);
}
