/*
 * area_type.c
 *		The types o2o.geocircle and o2o.geobox as PostgreSQL sees them: input,
 *		output, parts, and their operators with positions.  What they mean is
 *		decided in area.c and distance.c; the indexes live in spgist.c and gist.c.
 */
#include "o2o.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "fmgr.h"
#include "geo/geo.h"
#include "libpq/pqformat.h"

PG_FUNCTION_INFO_V1(o2o_geocircle_in);
PG_FUNCTION_INFO_V1(o2o_geocircle_out);
PG_FUNCTION_INFO_V1(o2o_geocircle_recv);
PG_FUNCTION_INFO_V1(o2o_geocircle_send);
PG_FUNCTION_INFO_V1(o2o_geocircle_make);
PG_FUNCTION_INFO_V1(o2o_geocircle_center);
PG_FUNCTION_INFO_V1(o2o_geocircle_radius);
PG_FUNCTION_INFO_V1(o2o_geobox_in);
PG_FUNCTION_INFO_V1(o2o_geobox_out);
PG_FUNCTION_INFO_V1(o2o_geobox_recv);
PG_FUNCTION_INFO_V1(o2o_geobox_send);
PG_FUNCTION_INFO_V1(o2o_geobox_make);
PG_FUNCTION_INFO_V1(o2o_geobox_west);
PG_FUNCTION_INFO_V1(o2o_geobox_south);
PG_FUNCTION_INFO_V1(o2o_geobox_east);
PG_FUNCTION_INFO_V1(o2o_geobox_north);
PG_FUNCTION_INFO_V1(o2o_geopoint_in_circle);
PG_FUNCTION_INFO_V1(o2o_geocircle_holds);
PG_FUNCTION_INFO_V1(o2o_geopoint_in_box);
PG_FUNCTION_INFO_V1(o2o_geobox_holds);
PG_FUNCTION_INFO_V1(o2o_geobox_overlaps);

/* Raise an error unless a radius or distance is zero or more metres. */
bool
o2o_geo_check_radius(double metres, struct Node *escontext)
{
	/* written so that NaN fails */
	if (!(metres >= 0.0))
		ereturn(escontext, false,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("distance must be zero or more metres"),
				 errdetail("The distance is %g.", metres)));
	return true;
}

/* A circle from checked parts; adding zero turns -0 into 0. */
static Datum
circle_of(O2oGeoPoint center, double radius)
{
	O2oGeoCircle *circle = palloc(sizeof(O2oGeoCircle));

	circle->center = center;
	circle->radius = radius + 0.0;
	return PointerGetDatum(circle);
}

/* '<(longitude,latitude),metres>' */
Datum
o2o_geocircle_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);
	double longitude;
	double latitude;
	double radius;
	O2oGeoPoint center = 0;
	O2oGeoStatus status;

	if (!o2o_geo_circle_parse(text, &longitude, &latitude, &radius))
		ereturn(
			fcinfo->context, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"", "geocircle", text),
			 errhint(
				 "Write \"<(longitude,latitude),metres>\", such as <(121.4737,31.2304),500>.")));
	status = o2o_geo_from_degrees(longitude, latitude, &center);
	if (!o2o_geo_check_status(status, longitude, latitude, fcinfo->context) ||
		!o2o_geo_check_radius(radius, fcinfo->context))
		return (Datum) 0;
	return circle_of(center, radius);
}

/* The radius as the shortest decimal that reads back as the same number, whatever the session's settings. */
Datum
o2o_geocircle_out(PG_FUNCTION_ARGS)
{
	const O2oGeoCircle *circle = PG_GETARG_GEOCIRCLE(0);
	char center[O2O_GEO_TEXT_SIZE];
	char radius[DOUBLE_SHORTEST_DECIMAL_LEN];

	o2o_geo_format(circle->center, center);
	double_to_shortest_decimal_buf(circle->radius, radius);
	PG_RETURN_CSTRING(psprintf("<(%s),%s>", center, radius));
}

/* Two int4: longitude and latitude of the center in 1e-7 degree; float8: metres. */
Datum
o2o_geocircle_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int32 lon_e7 = (int32) pq_getmsgint(buf, 4);
	int32 lat_e7 = (int32) pq_getmsgint(buf, 4);
	double radius = pq_getmsgfloat8(buf);
	O2oGeoPoint center = 0;
	O2oGeoStatus status = o2o_geo_from_units(lon_e7, lat_e7, &center);

	o2o_geo_check_status(status, lon_e7 / 1e7, lat_e7 / 1e7, NULL);
	o2o_geo_check_radius(radius, NULL);
	return circle_of(center, radius);
}

Datum
o2o_geocircle_send(PG_FUNCTION_ARGS)
{
	const O2oGeoCircle *circle = PG_GETARG_GEOCIRCLE(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint32(&buf, (int32) (o2o_geo_lon(circle->center) - O2O_GEO_LON_HALF));
	pq_sendint32(&buf, (int32) (o2o_geo_lat(circle->center) - O2O_GEO_LAT_HALF));
	pq_sendfloat8(&buf, circle->radius);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
o2o_geocircle_make(PG_FUNCTION_ARGS)
{
	double radius = PG_GETARG_FLOAT8(1);

	o2o_geo_check_radius(radius, NULL);
	return circle_of(PG_GETARG_GEOPOINT(0), radius);
}

Datum
o2o_geocircle_center(PG_FUNCTION_ARGS)
{
	PG_RETURN_GEOPOINT(PG_GETARG_GEOCIRCLE(0)->center);
}

Datum
o2o_geocircle_radius(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_GEOCIRCLE(0)->radius);
}

/* A box of its own, or the error of its corners (west, south, east, north in degrees). */
static Datum
checked_frame(O2oGeoStatus status, const O2oGeoFrame *frame, const double corners[4],
			  struct Node *escontext)
{
	O2oGeoFrame *copy;

	if (status == O2O_GEO_UPSIDE_DOWN)
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("south of a geobox must not be above its north"),
				 errdetail("South is %.12g, north is %.12g.", corners[1], corners[3]),
				 errhint("The south-west corner comes first, then the north-east one.")));
	if (status != O2O_GEO_OK)
	{
		/* the corner that is out of range */
		O2oGeoPoint corner;
		int at = o2o_geo_from_degrees(corners[0], corners[1], &corner) == O2O_GEO_OK ? 2 : 0;

		o2o_geo_check_status(status, corners[at], corners[at + 1], escontext);
		return (Datum) 0;
	}
	copy = palloc(sizeof(O2oGeoFrame));
	*copy = *frame;
	return PointerGetDatum(copy);
}

/* '(west,south),(east,north)' */
Datum
o2o_geobox_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);
	double corners[4];
	O2oGeoFrame frame;

	if (!o2o_geo_frame_parse(text, corners))
		ereturn(
			fcinfo->context, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"", "geobox", text),
			 errhint(
				 "Write \"(west,south),(east,north)\" in degrees, such as (121,31),(122,32).")));
	return checked_frame(o2o_geo_frame_from_degrees(corners, &frame), &frame, corners,
						 fcinfo->context);
}

Datum
o2o_geobox_out(PG_FUNCTION_ARGS)
{
	char *text = palloc(O2O_GEO_FRAME_TEXT_SIZE);

	o2o_geo_frame_format(PG_GETARG_GEOFRAME(0), text);
	PG_RETURN_CSTRING(text);
}

/* Four int4: west, south, east, north in 1e-7 degree. */
Datum
o2o_geobox_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int32 units[4];
	double corners[4];
	O2oGeoFrame frame;

	for (int i = 0; i < 4; i++)
	{
		units[i] = (int32) pq_getmsgint(buf, 4);
		corners[i] = units[i] / 1e7;
	}
	return checked_frame(o2o_geo_frame_from_units(units[0], units[1], units[2], units[3], &frame),
						 &frame, corners, NULL);
}

Datum
o2o_geobox_send(PG_FUNCTION_ARGS)
{
	const O2oGeoFrame *frame = PG_GETARG_GEOFRAME(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint32(&buf, frame->west);
	pq_sendint32(&buf, frame->south);
	pq_sendint32(&buf, frame->east);
	pq_sendint32(&buf, frame->north);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
o2o_geobox_make(PG_FUNCTION_ARGS)
{
	double corners[4];
	O2oGeoFrame frame;

	for (int i = 0; i < 4; i++)
		corners[i] = PG_GETARG_FLOAT8(i);
	return checked_frame(o2o_geo_frame_from_degrees(corners, &frame), &frame, corners, NULL);
}

Datum
o2o_geobox_west(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_GEOFRAME(0)->west / 1e7);
}

Datum
o2o_geobox_south(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_GEOFRAME(0)->south / 1e7);
}

Datum
o2o_geobox_east(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_GEOFRAME(0)->east / 1e7);
}

Datum
o2o_geobox_north(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_GEOFRAME(0)->north / 1e7);
}

Datum
o2o_geopoint_in_circle(PG_FUNCTION_ARGS)
{
	const O2oGeoCircle *circle = PG_GETARG_GEOCIRCLE(1);

	PG_RETURN_BOOL(o2o_geo_distance(PG_GETARG_GEOPOINT(0), circle->center) <= circle->radius);
}

Datum
o2o_geocircle_holds(PG_FUNCTION_ARGS)
{
	const O2oGeoCircle *circle = PG_GETARG_GEOCIRCLE(0);

	PG_RETURN_BOOL(o2o_geo_distance(circle->center, PG_GETARG_GEOPOINT(1)) <= circle->radius);
}

Datum
o2o_geopoint_in_box(PG_FUNCTION_ARGS)
{
	O2oGeoBox point = o2o_geo_point_box(PG_GETARG_GEOPOINT(0));

	PG_RETURN_BOOL(o2o_geo_frame_reaches(PG_GETARG_GEOFRAME(1), &point));
}

Datum
o2o_geobox_holds(PG_FUNCTION_ARGS)
{
	O2oGeoBox point = o2o_geo_point_box(PG_GETARG_GEOPOINT(1));

	PG_RETURN_BOOL(o2o_geo_frame_reaches(PG_GETARG_GEOFRAME(0), &point));
}

Datum
o2o_geobox_overlaps(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(o2o_geo_frames_meet(PG_GETARG_GEOFRAME(0), PG_GETARG_GEOFRAME(1)));
}
