/*
 * geo_text_check.c
 *		Feeds seeded random and spoiled texts, numbers and units to the readers of
 *		src/geo: each refuses, or gives a value whose own text gives it back.
 *		Built with sanitizers, so that a step beyond a text ends it.
 *		Usage: geo_text_check [texts [seed]]
 */
#include "geo/geo.h"
#include "random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 80

static long refused = 0;
static long violations = 0;

/* A sample with some of its characters changed, taken out or doubled, or all at random; on the heap, so that its end is watched. */
static char *
spoiled(const char *sample)
{
	static const char letters[] = "<>(),.+-eE0123456789 \t\nINFTYPOinftypo";
	char		text[LONGEST + 1];
	size_t		length = strlen(sample);
	char	   *copy;

	memcpy(text, sample, length + 1);
	if (next() % 8 == 0)
	{
		length = next() % 30;
		for (size_t i = 0; i < length; i++)
			text[i] = 1 + next() % 255;
		text[length] = '\0';
	}
	for (int changes = next() % 5; changes > 0 && length > 0; changes--)
	{
		size_t		at = next() % length;

		switch (next() % 3)
		{
			case 0:
				text[at] = next() % 8 ? letters[next() % (sizeof(letters) - 1)] : (char) (1 + next() % 255);
				break;
			case 1:
				memmove(text + at, text + at + 1, length - at);
				length--;
				break;
			default:
				if (length < LONGEST)
				{
					memmove(text + at + 1, text + at, length - at + 1);
					length++;
				}
		}
	}
	copy = malloc(length + 1);
	if (!copy)
		abort();
	memcpy(copy, text, length + 1);
	return copy;
}

static void
broken(const char *what, const char *text)
{
	printf("%s does not come back: %s\n", what, text);
	violations++;
}

static void
check_point(const char *text)
{
	double		lon,
				lat;
	O2oGeoPoint point,
				again = -1;
	char		out[O2O_GEO_TEXT_SIZE];

	if (!o2o_geo_parse(text, &lon, &lat) || o2o_geo_from_degrees(lon, lat, &point) != O2O_GEO_OK)
	{
		refused++;
		return;
	}
	o2o_geo_format(point, out);
	if (strlen(out) >= sizeof(out) || !o2o_geo_parse(out, &lon, &lat) ||
		o2o_geo_from_degrees(lon, lat, &again) != O2O_GEO_OK || again != point ||
		o2o_geo_lon(point) < 0 || o2o_geo_lon(point) >= O2O_GEO_LON_TURN || o2o_geo_lat(point) > O2O_GEO_LAT_TOP)
		broken("position", text);
}

static void
check_circle(const char *text)
{
	double		lon,
				lat,
				radius;
	O2oGeoPoint point;

	if (!o2o_geo_circle_parse(text, &lon, &lat, &radius) || o2o_geo_from_degrees(lon, lat, &point) != O2O_GEO_OK)
		refused++;
	else if (isnan(radius))
		broken("radius", text);
}

static void
check_frame(const char *text)
{
	double		corners[4];
	O2oGeoFrame frame,
				again;
	char		out[O2O_GEO_FRAME_TEXT_SIZE];

	if (!o2o_geo_frame_parse(text, corners) || o2o_geo_frame_from_degrees(corners, &frame) != O2O_GEO_OK)
	{
		refused++;
		return;
	}
	o2o_geo_frame_format(&frame, out);
	if (strlen(out) >= sizeof(out) || !o2o_geo_frame_parse(out, corners) ||
		o2o_geo_frame_from_degrees(corners, &again) != O2O_GEO_OK || memcmp(&frame, &again, sizeof(frame)) != 0)
		broken("box", text);
}

/* What a binary message may say, and a double of any bits. */
static void
check_numbers(void)
{
	int64_t		units[4];
	double		corners[4];
	O2oGeoPoint point = 0;
	O2oGeoFrame frame;
	O2oGeoBox	box;

	for (int i = 0; i < 4; i++)
	{
		uint64_t	bits = next();

		units[i] = next() % 2 ? (int32_t) bits : (int64_t) (bits % 7200000001u) - 3600000000;
		memcpy(&corners[i], &bits, sizeof(bits));
		if (next() % 2)
			corners[i] = units[i] / 1e7;
	}
	if (o2o_geo_from_units(units[0], units[1], &point) == O2O_GEO_OK &&
		(point < 0 || o2o_geo_lon(point) >= O2O_GEO_LON_TURN || o2o_geo_lat(point) > O2O_GEO_LAT_TOP))
		broken("position", "of units");
	box = o2o_geo_point_box(point);
	if (o2o_geo_frame_from_units(units[0], units[1], units[2], units[3], &frame) == O2O_GEO_OK)
	{
		o2o_geo_frame_reaches(&frame, &box);
		if (frame.south > frame.north || !o2o_geo_frames_meet(&frame, &frame))
			broken("box", "of units");
	}
	o2o_geo_from_degrees(corners[0], corners[1], &point);
	o2o_geo_frame_from_degrees(corners, &frame);
}

int
main(int argc, char **argv)
{
	static const char *const samples[] = {
		"121.4737,31.2304", "POINT(121.4737 -31.2304)", "-180,-90", "1e2,-1E-5", "<(12.5,-31.25),500.5>", "<(0,90),Infinity>",
		"<( 180 , +1 ), 1e300>", "(-121.5,31),(122,32.25)", "(170,-50),(-170,-30)", "(-180.0000000,-90),(180,90)"};
	long		texts = argc > 1 ? atol(argv[1]) : 300000;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	printf("seed %llu\n", (unsigned long long) state);
	for (long n = 0; n < texts; n++)
	{
		char	   *text = spoiled(samples[next() % (sizeof(samples) / sizeof(samples[0]))]);

		check_point(text);
		check_circle(text);
		check_frame(text);
		free(text);
		check_numbers();
	}
	printf("%ld texts for three readers, %ld refused\nviolations: %ld\n", texts, refused, violations);
	return violations != 0;
}
