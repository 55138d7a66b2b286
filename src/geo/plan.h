/*
 * plan.h
 *		What ANALYZE writes and estimates read of columns of positions.
 */
#ifndef O2O_GEO_PLAN_H
#define O2O_GEO_PLAN_H

/*
 * Kind of an entry of pg_statistic, of those that nobody has to ask for.  Numbers:
 * for depths 1 to 16 the share of pairs of rows whose positions share a cell.
 */
#define O2O_GEO_STATISTIC_PAIRS 24105

#endif /* O2O_GEO_PLAN_H */
