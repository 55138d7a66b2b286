/*
 * geo_brute.c
 *		Judges searches that a server has answered, by PROJ's geod_inverse over all
 *		positions; shares no code with src/.  test/t/042_store_exact.pl runs it.
 *		Usage: geo_brute POSITIONS ANSWERS WHOLE
 *
 * A line of POSITIONS: id, longitude and latitude in 1e-7 degree.  A line of
 * ANSWERS: "k" and how many nearest, or "r" and a radius in metres; longitude and
 * latitude in 1e-7 degree; how many rows; then id and metres of each, in order.
 * No path over the surface is shorter than the straight line, so a position whose
 * straight line is too long needs no geod_inverse; the first WHOLE answers are
 * judged without this.  What differs by less than SAME metres has no order.
 */
#include <geodesic.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define A 6378137.0
#define F (1 / 298.257223563)
#define SAME 1e-6
#define BLOCK 4096

static long count = 0;
static long *ids;
static double *lon;
static double *lat;
static double *xyz[3];
static long *place_of; /* by id */
static long most_id = 0;
static struct geod_geodesic wgs84;

static void
straight(double longitude, double latitude, double at[3])
{
	double		phi = latitude * M_PI / 180;
	double		lambda = longitude * M_PI / 180;
	double		e2 = F * (2 - F);
	double		n = A / sqrt(1 - e2 * sin(phi) * sin(phi));

	at[0] = n * cos(phi) * cos(lambda);
	at[1] = n * cos(phi) * sin(lambda);
	at[2] = n * (1 - e2) * sin(phi);
}

static double
truth(double longitude, double latitude, long i)
{
	double		metres;

	geod_inverse(&wgs84, latitude, longitude, lat[i], lon[i], &metres, NULL, NULL);
	return metres;
}

static void *
room(size_t bytes)
{
	void	   *memory = malloc(bytes);

	if (!memory)
		abort();
	return memory;
}

static void
read_positions(const char *file)
{
	FILE	   *in = fopen(file, "r");
	long		id,
				x,
				y,
				most = 0;

	if (!in)
	{
		perror(file);
		exit(2);
	}
	while (fscanf(in, "%ld %ld %ld", &id, &x, &y) == 3)
		most++;
	rewind(in);
	ids = room(most * sizeof(long));
	lon = room(most * sizeof(double));
	lat = room(most * sizeof(double));
	for (int axis = 0; axis < 3; axis++)
		xyz[axis] = room(most * sizeof(double));
	while (fscanf(in, "%ld %ld %ld", &id, &x, &y) == 3)
	{
		double		at[3];

		ids[count] = id;
		lon[count] = x / 1e7;
		lat[count] = y / 1e7;
		straight(lon[count], lat[count], at);
		for (int axis = 0; axis < 3; axis++)
			xyz[axis][count] = at[axis];
		if (id > most_id)
			most_id = id;
		count++;
	}
	fclose(in);
	place_of = room((most_id + 1) * sizeof(long));
	for (long i = 0; i <= most_id; i++)
		place_of[i] = -1;
	for (long i = 0; i < count; i++)
		place_of[ids[i]] = i;
}

/* Mark what is wrong with one answer; the positions it names are marked in seen with its number. */
static const char *
judge(bool nearest, double limit, double longitude, double latitude, long rows, const long *found,
	  const double *metres, bool whole, long *seen, long number)
{
	double		at[3];
	double		last = 0;
	double		reach,
				reach2;

	if (nearest && rows != (limit < count ? (long) limit : count))
		return "number of rows";
	for (long i = 0; i < rows; i++)
	{
		long		place = found[i] < 0 || found[i] > most_id ? -1 : place_of[found[i]];
		double		true_metres;

		if (place < 0 || seen[place] == number)
			return "a row twice, or one that there is not";
		seen[place] = number;
		true_metres = truth(longitude, latitude, place);
		if (!(fabs(true_metres - metres[i]) <= SAME))
			return "distance";
		if (nearest && (true_metres < last - SAME || (i > 0 && metres[i] < metres[i - 1])))
			return "order";
		if (true_metres > last)
			last = true_metres;
		if (!nearest && true_metres > limit + SAME)
			return "a row too far away";
	}
	/* whoever is clearly nearer has to be among them */
	reach = nearest ? last : limit;
	reach2 = (reach + SAME) * (reach + SAME) * (1 + 1e-12);
	if (nearest && rows == count)
		return NULL;
	straight(longitude, latitude, at);
	for (long from = 0; from < count; from += BLOCK)
	{
		static double square[BLOCK];
		long		to = from + BLOCK < count ? from + BLOCK : count;

		for (long i = from; i < to; i++)
		{
			double		x = xyz[0][i] - at[0];
			double		y = xyz[1][i] - at[1];
			double		z = xyz[2][i] - at[2];

			square[i - from] = x * x + y * y + z * z;
		}
		for (long i = from; i < to; i++)
			if ((whole || square[i - from] <= reach2) && seen[i] != number &&
				truth(longitude, latitude, i) < reach - SAME)
				return "a row is missing";
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	FILE	   *in;
	char		kind;
	double		limit;
	long		x,
				y,
				rows;
	long		answers = 0;
	long		wrong = 0;
	long		whole = argc > 3 ? atol(argv[3]) : 0;
	long	   *seen;

	if (argc < 4)
	{
		fprintf(stderr, "usage: geo_brute POSITIONS ANSWERS WHOLE\n");
		return 2;
	}
	geod_init(&wgs84, A, F);
	read_positions(argv[1]);
	seen = calloc(count + 1, sizeof(long));
	in = fopen(argv[2], "r");
	if (!in || !seen)
	{
		perror(argv[2]);
		return 2;
	}
	while (fscanf(in, " %c %lf %ld %ld %ld", &kind, &limit, &x, &y, &rows) == 5)
	{
		long	   *found = room((rows + 1) * sizeof(long));
		double	   *metres = room((rows + 1) * sizeof(double));
		const char *what;

		for (long i = 0; i < rows; i++)
			if (fscanf(in, "%ld %lf", &found[i], &metres[i]) != 2)
			{
				fprintf(stderr, "answer %ld is cut off\n", answers + 1);
				return 2;
			}
		answers++;
		what = judge(kind == 'k', limit, x / 1e7, y / 1e7, rows, found, metres, answers <= whole, seen, answers);
		if (what && wrong++ < 10)
			printf("wrong: %s, from %.7f %.7f, %c %.17g\n", what, x / 1e7, y / 1e7, kind, limit);
		free(found);
		free(metres);
	}
	if (!feof(in))
	{
		fprintf(stderr, "answer %ld cannot be read\n", answers + 1);
		return 2;
	}
	printf("%ld positions, %ld answers, %ld wrong\n", count, answers, wrong);
	return wrong != 0;
}
