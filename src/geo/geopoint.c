/*
 * geopoint.c
 *		The type o2o.geopoint as PostgreSQL sees it: input, output, order, hash,
 *		constructors, distance functions.  What they compute lives in the pure
 *		parts beside; the indexes live in spgist.c and gist.c.
 */
#include "o2o.h"

#include <math.h>

#include "common/hashfn.h"
#include "fmgr.h"
#include "geo/geo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/geo_decls.h"
#include "utils/sortsupport.h"

StaticAssertDecl(SIZEOF_DATUM == 8, "o2o.geopoint is passed by value");

PG_FUNCTION_INFO_V1(o2o_geopoint_in);
PG_FUNCTION_INFO_V1(o2o_geopoint_or_null);
PG_FUNCTION_INFO_V1(o2o_geopoint_out);
PG_FUNCTION_INFO_V1(o2o_geopoint_recv);
PG_FUNCTION_INFO_V1(o2o_geopoint_send);
PG_FUNCTION_INFO_V1(o2o_geopoint_make);
PG_FUNCTION_INFO_V1(o2o_geopoint_from_postgis);
PG_FUNCTION_INFO_V1(o2o_geopoint_from_point);
PG_FUNCTION_INFO_V1(o2o_geopoint_to_point);
PG_FUNCTION_INFO_V1(o2o_geo_longitude);
PG_FUNCTION_INFO_V1(o2o_geo_latitude);
PG_FUNCTION_INFO_V1(o2o_geopoint_lt);
PG_FUNCTION_INFO_V1(o2o_geopoint_le);
PG_FUNCTION_INFO_V1(o2o_geopoint_eq);
PG_FUNCTION_INFO_V1(o2o_geopoint_ne);
PG_FUNCTION_INFO_V1(o2o_geopoint_ge);
PG_FUNCTION_INFO_V1(o2o_geopoint_gt);
PG_FUNCTION_INFO_V1(o2o_geopoint_cmp);
PG_FUNCTION_INFO_V1(o2o_geopoint_sortsupport);
PG_FUNCTION_INFO_V1(o2o_geopoint_hash);
PG_FUNCTION_INFO_V1(o2o_geopoint_hash_extended);
PG_FUNCTION_INFO_V1(o2o_geopoint_distance);
PG_FUNCTION_INFO_V1(o2o_geopoint_dwithin);
PG_FUNCTION_INFO_V1(o2o_geopoint_azimuth);
PG_FUNCTION_INFO_V1(o2o_geopoint_hilbert);

/* The one place that words the errors of a position out of range; true if it is none. */
bool
o2o_geo_check_status(O2oGeoStatus status, double longitude, double latitude, struct Node *escontext)
{
	if (status == O2O_GEO_LONGITUDE)
		ereturn(
			escontext, false,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("longitude must be between -180 and 180 degrees"),
			 errdetail("The position is longitude %.12g, latitude %.12g.", longitude, latitude)));
	if (status == O2O_GEO_LATITUDE)
		ereturn(escontext, false,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("latitude must be between -90 and 90 degrees"),
				 errdetail("The position is longitude %.12g, latitude %.12g.", longitude, latitude),
				 errhint("Longitude comes first, then latitude.")));
	return true;
}

static Datum
checked_point(O2oGeoStatus status, O2oGeoPoint point, double longitude, double latitude,
			  struct Node *escontext)
{
	return o2o_geo_check_status(status, longitude, latitude, escontext) ? GeoPointGetDatum(point)
																		: (Datum) 0;
}

static Datum
point_from_degrees(double longitude, double latitude, struct Node *escontext)
{
	O2oGeoPoint point = 0;
	O2oGeoStatus status = o2o_geo_from_degrees(longitude, latitude, &point);

	return checked_point(status, point, longitude, latitude, escontext);
}

/* 'longitude,latitude' or 'POINT(longitude latitude)' */
Datum
o2o_geopoint_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);
	double longitude;
	double latitude;

	if (!o2o_geo_parse(text, &longitude, &latitude))
		ereturn(
			fcinfo->context, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"", "geopoint", text),
			 errhint(
				 "Write \"longitude,latitude\" in degrees, such as 121.4737,31.2304, or POINT(121.4737 31.2304).")));
	return point_from_degrees(longitude, latitude, fcinfo->context);
}

/* For texts that others wrote: null where the type's input would refuse them. */
Datum
o2o_geopoint_or_null(PG_FUNCTION_ARGS)
{
	char *written = text_to_cstring(PG_GETARG_TEXT_PP(0));
	double longitude;
	double latitude;
	O2oGeoPoint point;

	if (!o2o_geo_parse(written, &longitude, &latitude) ||
		o2o_geo_from_degrees(longitude, latitude, &point) != O2O_GEO_OK)
		PG_RETURN_NULL();
	PG_RETURN_GEOPOINT(point);
}

Datum
o2o_geopoint_out(PG_FUNCTION_ARGS)
{
	char *text = palloc(O2O_GEO_TEXT_SIZE);

	o2o_geo_format(PG_GETARG_GEOPOINT(0), text);
	PG_RETURN_CSTRING(text);
}

/* Two int4: longitude and latitude in 1e-7 degree. */
Datum
o2o_geopoint_recv(PG_FUNCTION_ARGS)
{
	StringInfo buf = (StringInfo) PG_GETARG_POINTER(0);
	int32 lon_e7 = (int32) pq_getmsgint(buf, 4);
	int32 lat_e7 = (int32) pq_getmsgint(buf, 4);
	O2oGeoPoint point = 0;
	O2oGeoStatus status = o2o_geo_from_units(lon_e7, lat_e7, &point);

	return checked_point(status, point, lon_e7 / 1e7, lat_e7 / 1e7, NULL);
}

Datum
o2o_geopoint_send(PG_FUNCTION_ARGS)
{
	O2oGeoPoint point = PG_GETARG_GEOPOINT(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint32(&buf, (int32) (o2o_geo_lon(point) - O2O_GEO_LON_HALF));
	pq_sendint32(&buf, (int32) (o2o_geo_lat(point) - O2O_GEO_LAT_HALF));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
o2o_geopoint_make(PG_FUNCTION_ARGS)
{
	return point_from_degrees(PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1), NULL);
}

/*
 * A PostGIS value taken apart by its own functions: kind, SRID, x, y.  Not
 * strict: a point without coordinates is empty, a value without kind is null.
 */
Datum
o2o_geopoint_from_postgis(PG_FUNCTION_ARGS)
{
	char *kind;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (strcmp(kind, "ST_Point") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("only a point can become a geopoint"),
						errdetail("The geometry is of type %s.", kind)));
	if (PG_GETARG_INT32(1) != 4326)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("only a point of SRID 4326 can become a geopoint"),
			 errdetail("The SRID is %d.", PG_GETARG_INT32(1)),
			 errhint(
				 "Use ST_Transform(..., 4326), or ST_SetSRID(..., 4326) if the coordinates are WGS84 longitude and latitude already.")));
	if (PG_ARGISNULL(2) || PG_ARGISNULL(3))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("an empty point cannot become a geopoint")));
	return point_from_degrees(PG_GETARG_FLOAT8(2), PG_GETARG_FLOAT8(3), NULL);
}

Datum
o2o_geopoint_from_point(PG_FUNCTION_ARGS)
{
	Point *plane = PG_GETARG_POINT_P(0);

	return point_from_degrees(plane->x, plane->y, NULL);
}

Datum
o2o_geopoint_to_point(PG_FUNCTION_ARGS)
{
	Point *plane = palloc(sizeof(Point));

	plane->x = o2o_geo_longitude_degrees(PG_GETARG_GEOPOINT(0));
	plane->y = o2o_geo_latitude_degrees(PG_GETARG_GEOPOINT(0));
	PG_RETURN_POINT_P(plane);
}

Datum
o2o_geo_longitude(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(o2o_geo_longitude_degrees(PG_GETARG_GEOPOINT(0)));
}

Datum
o2o_geo_latitude(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(o2o_geo_latitude_degrees(PG_GETARG_GEOPOINT(0)));
}

Datum
o2o_geopoint_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_GEOPOINT(0) < PG_GETARG_GEOPOINT(1));
}

Datum
o2o_geopoint_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_GEOPOINT(0) <= PG_GETARG_GEOPOINT(1));
}

Datum
o2o_geopoint_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_GEOPOINT(0) == PG_GETARG_GEOPOINT(1));
}

Datum
o2o_geopoint_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_GEOPOINT(0) != PG_GETARG_GEOPOINT(1));
}

Datum
o2o_geopoint_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_GEOPOINT(0) >= PG_GETARG_GEOPOINT(1));
}

Datum
o2o_geopoint_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_GEOPOINT(0) > PG_GETARG_GEOPOINT(1));
}

Datum
o2o_geopoint_cmp(PG_FUNCTION_ARGS)
{
	O2oGeoPoint a = PG_GETARG_GEOPOINT(0);
	O2oGeoPoint b = PG_GETARG_GEOPOINT(1);

	PG_RETURN_INT32(a < b ? -1 : a > b);
}

Datum
o2o_geopoint_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->comparator = ssup_datum_signed_cmp;
	PG_RETURN_VOID();
}

Datum
o2o_geopoint_hash(PG_FUNCTION_ARGS)
{
	O2oGeoPoint point = PG_GETARG_GEOPOINT(0);

	return hash_any((unsigned char *) &point, sizeof(point));
}

Datum
o2o_geopoint_hash_extended(PG_FUNCTION_ARGS)
{
	O2oGeoPoint point = PG_GETARG_GEOPOINT(0);

	return hash_any_extended((unsigned char *) &point, sizeof(point), PG_GETARG_INT64(1));
}

Datum
o2o_geopoint_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(o2o_geo_distance(PG_GETARG_GEOPOINT(0), PG_GETARG_GEOPOINT(1)));
}

Datum
o2o_geopoint_dwithin(PG_FUNCTION_ARGS)
{
	double metres = PG_GETARG_FLOAT8(2);

	o2o_geo_check_radius(metres, NULL);
	PG_RETURN_BOOL(o2o_geo_distance(PG_GETARG_GEOPOINT(0), PG_GETARG_GEOPOINT(1)) <= metres);
}

Datum
o2o_geopoint_azimuth(PG_FUNCTION_ARGS)
{
	O2oGeoPoint a = PG_GETARG_GEOPOINT(0);
	O2oGeoPoint b = PG_GETARG_GEOPOINT(1);

	/* no direction leads from a place to itself */
	if (a == b)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(o2o_geo_azimuth(a, b));
}

Datum
o2o_geopoint_hilbert(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(o2o_geo_hilbert(PG_GETARG_GEOPOINT(0)));
}
