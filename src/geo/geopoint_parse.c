/*
 * geopoint_parse.c
 *		Text and degrees to a position and back: pure, no PostgreSQL header.
 *		Range, normal form and rounding of a position are decided here and nowhere
 *		else; those of circles and boxes in area.c, which reads numbers as here.
 */
#include "geo/geo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Whole 1e-7 degrees to the one value that stands for this position. */
O2oGeoStatus
o2o_geo_from_units(int64_t lon_e7, int64_t lat_e7, O2oGeoPoint *point)
{
	if (lon_e7 < -O2O_GEO_LON_HALF || lon_e7 > O2O_GEO_LON_HALF)
		return O2O_GEO_LONGITUDE;
	if (lat_e7 < -O2O_GEO_LAT_HALF || lat_e7 > O2O_GEO_LAT_HALF)
		return O2O_GEO_LATITUDE;
	if (lon_e7 == O2O_GEO_LON_HALF)
		lon_e7 = -O2O_GEO_LON_HALF;
	if (lat_e7 == -O2O_GEO_LAT_HALF || lat_e7 == O2O_GEO_LAT_HALF)
		lon_e7 = 0;
	*point = o2o_geo_pack(lon_e7 + O2O_GEO_LON_HALF, lat_e7 + O2O_GEO_LAT_HALF);
	return O2O_GEO_OK;
}

/* Degrees, rounded to the nearest 1e-7; the range is that before rounding. */
O2oGeoStatus
o2o_geo_from_degrees(double longitude, double latitude, O2oGeoPoint *point)
{
	/* written so that NaN fails */
	if (!(longitude >= -180.0 && longitude <= 180.0))
		return O2O_GEO_LONGITUDE;
	if (!(latitude >= -90.0 && latitude <= 90.0))
		return O2O_GEO_LATITUDE;
	return o2o_geo_from_units(llround(longitude * 1e7), llround(latitude * 1e7), point);
}

/* Where the text goes on after white space. */
const char *
o2o_geo_skip_space(const char *text)
{
	return text + strspn(text, " \t\n\r\f\v");
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * One decimal number; NULL if there is none.  The grammar is checked before
 * strtod sees it, which would also take 'nan', 'inf' and hexadecimal.
 */
const char *
o2o_geo_parse_number(const char *text, double *number)
{
	const char *at = text;
	int digits = 0;

	if (*at == '+' || *at == '-')
		at++;
	for (; is_digit(*at); at++)
		digits = 1;
	if (*at == '.')
		for (at++; is_digit(*at); at++)
			digits = 1;
	if (!digits)
		return NULL;
	if (*at == 'e' || *at == 'E')
	{
		at++;
		if (*at == '+' || *at == '-')
			at++;
		if (!is_digit(*at))
			return NULL;
		while (is_digit(*at))
			at++;
	}
	*number = strtod(text, NULL);
	return at;
}

/* Skip one word in either case; NULL if the text goes on otherwise. */
const char *
o2o_geo_skip_word(const char *text, const char *upper)
{
	for (; *upper; text++, upper++)
		if (*text != *upper && *text != *upper - 'A' + 'a')
			return NULL;
	return text;
}

/* 'longitude,latitude' or 'POINT(longitude latitude)' to degrees of any size. */
bool
o2o_geo_parse(const char *text, double *longitude, double *latitude)
{
	const char *at = o2o_geo_skip_space(text);
	const char *word = o2o_geo_skip_word(at, "POINT");
	const char *end;

	if (word)
	{
		at = o2o_geo_skip_space(word);
		if (*at++ != '(')
			return false;
		at = o2o_geo_skip_space(at);
	}
	end = o2o_geo_parse_number(at, longitude);
	if (!end)
		return false;
	at = o2o_geo_skip_space(end);
	if (word ? at == end : *at++ != ',')
		return false;
	at = o2o_geo_parse_number(o2o_geo_skip_space(at), latitude);
	if (!at)
		return false;
	at = o2o_geo_skip_space(at);
	if (word)
	{
		if (*at++ != ')')
			return false;
		at = o2o_geo_skip_space(at);
	}
	return *at == '\0';
}

/* 1e-7 degrees as the shortest exact decimal; returns the end. */
char *
o2o_geo_format_units(int64_t units, char *text)
{
	char digits[7];
	char whole[4];
	int64_t degrees;
	int64_t fraction;
	int n = 0;
	int i;

	if (units < 0)
	{
		*text++ = '-';
		units = -units;
	}
	degrees = units / 10000000;
	fraction = units % 10000000;
	do
		whole[n++] = '0' + degrees % 10;
	while ((degrees /= 10) > 0);
	while (n > 0)
		*text++ = whole[--n];
	if (fraction == 0)
		return text;
	*text++ = '.';
	for (i = 7; i > 0; fraction /= 10)
		digits[--i] = '0' + fraction % 10;
	n = 7;
	while (digits[n - 1] == '0')
		n--;
	memcpy(text, digits, n);
	return text + n;
}

/* 'longitude,latitude' into O2O_GEO_TEXT_SIZE bytes. */
void
o2o_geo_format(O2oGeoPoint point, char *text)
{
	text = o2o_geo_format_units(o2o_geo_lon(point) - O2O_GEO_LON_HALF, text);
	*text++ = ',';
	text = o2o_geo_format_units(o2o_geo_lat(point) - O2O_GEO_LAT_HALF, text);
	*text = '\0';
}
