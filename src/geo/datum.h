/*
 * datum.h
 *		The datums of Chinese maps: what china.c and datum.c offer.  No PostgreSQL
 *		header is needed here.
 */
#ifndef O2O_GEO_DATUM_H
#define O2O_GEO_DATUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum O2oGeoDatum
{
	O2O_GEO_WGS84,
	O2O_GEO_GCJ02,
	O2O_GEO_BD09
} O2oGeoDatum;

/* china.c */
extern bool o2o_geo_in_china(double longitude, double latitude);

/* datum.c */
extern void o2o_geo_convert(O2oGeoDatum from, O2oGeoDatum to, double *longitude, double *latitude);

/* wkb.c */
extern bool o2o_geo_convert_wkb(O2oGeoDatum from, O2oGeoDatum to, uint8_t *wkb, size_t size);

#endif /* O2O_GEO_DATUM_H */
