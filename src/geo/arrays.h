/*
 * arrays.h
 *		Arrays as arguments: what arrays.c offers to the functions over arrays of
 *		positions.
 */
#ifndef O2O_GEO_ARRAYS_H
#define O2O_GEO_ARRAYS_H

#include "o2o.h"

#include "fmgr.h"
#include "geo/fence.h"

/* Between two looks for a cancel. */
#define O2O_GEO_INTERRUPT_EVERY 256

extern Datum *o2o_geo_elements(FunctionCallInfo fcinfo, int argument, int length, char align,
							   bool **nulls, int *count);
extern int64 *o2o_geo_ids(FunctionCallInfo fcinfo, int argument, int *count);
extern double *o2o_geo_numbers(FunctionCallInfo fcinfo, int argument, int *count);
extern void o2o_geo_check_lengths(const char *what, int wanted, int found);
extern void o2o_geo_check_memory(const char *what, Size bytes);
extern void *o2o_geo_room(int count, Size size);
extern Size o2o_geo_fences_size(int count);
extern void o2o_geo_fences_index(O2oGeoFences *index, const O2oGeoFence *fences, int count,
								 const O2oGeoRings *rings);

#endif /* O2O_GEO_ARRAYS_H */
