/*
 * phone.c
 *		Makes o2o_phone.so a module that the server loads. The parser itself is
 *		in phone_parse.cc, its caller in identity/identifier_phone.c.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
