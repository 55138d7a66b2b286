/*
 * o2o.h
 *		What every room may use: the SQLSTATEs that C code raises.
 *		Types and functions of a room live in the header of that room.
 */
#ifndef O2O_H
#define O2O_H

#include "compat.h"

/* Class O2: our own conditions. docs/errors.md lists all of them. */
#define ERRCODE_O2O_KEY_USED MAKE_SQLSTATE('O', '2', '0', '0', '4')
#define ERRCODE_O2O_MODULE_MISSING MAKE_SQLSTATE('O', '2', '0', '0', '5')
#define ERRCODE_O2O_SOURCE_UNKNOWN MAKE_SQLSTATE('O', '2', '1', '0', '1')
#define ERRCODE_O2O_TOO_MANY_IDENTIFIERS MAKE_SQLSTATE('O', '2', '2', '0', '5')
#define ERRCODE_O2O_KIND_UNKNOWN MAKE_SQLSTATE('O', '2', '2', '0', '7')
#define ERRCODE_O2O_NOBODY MAKE_SQLSTATE('O', '2', '2', '0', '1')
#define ERRCODE_O2O_INSUFFICIENT_POINTS MAKE_SQLSTATE('O', '2', '3', '0', '1')
#define ERRCODE_O2O_NO_PROGRAM MAKE_SQLSTATE('O', '2', '3', '0', '2')
#define ERRCODE_O2O_AMOUNT MAKE_SQLSTATE('O', '2', '3', '0', '3')
#define ERRCODE_O2O_AMOUNT_SCALE MAKE_SQLSTATE('O', '2', '3', '0', '4')
#define ERRCODE_O2O_NO_SELLER MAKE_SQLSTATE('O', '2', '3', '2', '0')
#define ERRCODE_O2O_ACCOUNT_CLOSED MAKE_SQLSTATE('O', '2', '3', '2', '1')
#define ERRCODE_O2O_FIT_UNDETERMINED MAKE_SQLSTATE('O', '2', '4', '0', '1')

/* For callers within the extension, who look once more: customers merged meanwhile. */
#define ERRCODE_O2O_CUSTOMERS_CHANGED MAKE_SQLSTATE('O', '2', 'R', '0', '1')

#endif /* O2O_H */
