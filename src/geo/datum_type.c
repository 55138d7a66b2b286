/*
 * datum_type.c
 *		Conversions between the datums of Chinese maps as PostgreSQL sees them,
 *		for geopoint and for the binary form of a geometry.  What they compute
 *		lives in datum.c and wkb.c.
 */
#include "o2o.h"

#include "fmgr.h"
#include "geo/datum.h"
#include "geo/geo.h"

PG_FUNCTION_INFO_V1(o2o_geo_in_china_sql);
PG_FUNCTION_INFO_V1(o2o_geo_datum_wkb);
PG_FUNCTION_INFO_V1(o2o_wgs84_to_gcj02);
PG_FUNCTION_INFO_V1(o2o_wgs84_to_bd09);
PG_FUNCTION_INFO_V1(o2o_gcj02_to_wgs84);
PG_FUNCTION_INFO_V1(o2o_gcj02_to_bd09);
PG_FUNCTION_INFO_V1(o2o_bd09_to_wgs84);
PG_FUNCTION_INFO_V1(o2o_bd09_to_gcj02);

static Datum
convert_point(O2oGeoPoint point, O2oGeoDatum from, O2oGeoDatum to)
{
	double longitude = o2o_geo_longitude_degrees(point);
	double latitude = o2o_geo_latitude_degrees(point);
	O2oGeoPoint converted = point;

	o2o_geo_convert(from, to, &longitude, &latitude);
	if (o2o_geo_from_degrees(longitude, latitude, &converted) != O2O_GEO_OK)
		elog(ERROR, "conversion of a datum left the earth");
	PG_RETURN_GEOPOINT(converted);
}

Datum
o2o_wgs84_to_gcj02(PG_FUNCTION_ARGS)
{
	return convert_point(PG_GETARG_GEOPOINT(0), O2O_GEO_WGS84, O2O_GEO_GCJ02);
}

Datum
o2o_wgs84_to_bd09(PG_FUNCTION_ARGS)
{
	return convert_point(PG_GETARG_GEOPOINT(0), O2O_GEO_WGS84, O2O_GEO_BD09);
}

Datum
o2o_gcj02_to_wgs84(PG_FUNCTION_ARGS)
{
	return convert_point(PG_GETARG_GEOPOINT(0), O2O_GEO_GCJ02, O2O_GEO_WGS84);
}

Datum
o2o_gcj02_to_bd09(PG_FUNCTION_ARGS)
{
	return convert_point(PG_GETARG_GEOPOINT(0), O2O_GEO_GCJ02, O2O_GEO_BD09);
}

Datum
o2o_bd09_to_wgs84(PG_FUNCTION_ARGS)
{
	return convert_point(PG_GETARG_GEOPOINT(0), O2O_GEO_BD09, O2O_GEO_WGS84);
}

Datum
o2o_bd09_to_gcj02(PG_FUNCTION_ARGS)
{
	return convert_point(PG_GETARG_GEOPOINT(0), O2O_GEO_BD09, O2O_GEO_GCJ02);
}

Datum
o2o_geo_in_china_sql(PG_FUNCTION_ARGS)
{
	O2oGeoPoint point = PG_GETARG_GEOPOINT(0);

	PG_RETURN_BOOL(
		o2o_geo_in_china(o2o_geo_longitude_degrees(point), o2o_geo_latitude_degrees(point)));
}

/* Extended well-known binary, and two of the datums by number: 0 WGS84, 1 GCJ-02, 2 BD-09. */
Datum
o2o_geo_datum_wkb(PG_FUNCTION_ARGS)
{
	bytea *wkb = PG_GETARG_BYTEA_P_COPY(0);
	int from = PG_GETARG_INT32(1);
	int to = PG_GETARG_INT32(2);

	if (from < O2O_GEO_WGS84 || from > O2O_GEO_BD09 || to < O2O_GEO_WGS84 || to > O2O_GEO_BD09 ||
		!o2o_geo_convert_wkb((O2oGeoDatum) from, (O2oGeoDatum) to, (uint8_t *) VARDATA(wkb),
							 VARSIZE(wkb) - VARHDRSZ))
		ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
						errmsg("not the binary form of a geometry, or no known datum")));
	PG_RETURN_BYTEA_P(wkb);
}
