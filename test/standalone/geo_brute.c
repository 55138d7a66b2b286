/*
 * geo_brute.c
 *		Judges searches that a server has answered, by PROJ's geod_inverse over all
 *		positions; shares no code with src/.  test/t/042_store_exact.pl runs it.
 *		Usage: geo_brute POSITIONS SEARCHES ROWS EVERY
 *
 * A line of POSITIONS: id, longitude and latitude in 1e-7 degree.  One of SEARCHES:
 * its number, from 1 on; "k" and how many nearest, or "r" and a radius in metres;
 * longitude and latitude in 1e-7 degree.  One of ROWS, in any order: the number of
 * the search, the place of this row in its answer, id and metres.
 *
 * No path over the surface is shorter than the straight line, and no straight line
 * shorter than its share along the axis of the earth.  So a position needs no
 * geod_inverse if its straight line is too long, and is not looked at if it lies too
 * far north or south, positions being sorted so.  Each EVERY-th search is judged
 * without this, by geod_inverse to each position.  What differs by less than SAME
 * metres has no order.
 */
#include <geodesic.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define A 6378137.0
#define F (1 / 298.257223563)
#define SAME 1e-6
/* what rounding may do to a straight line, many times over */
#define ROUNDING 1e-6

typedef struct Position
{
	double		at[3]; /* metres from the centre of the earth, the last one to the north */
	double		lon;
	double		lat;
	long		id;
} Position;

typedef struct Search
{
	bool		there;
	bool		nearest;
	double		limit;
	double		lon;
	double		lat;
	long		rows;
	long		first; /* of its rows */
} Search;

typedef struct Row
{
	long		search;
	long		place;
	long		id;
	double		metres;
} Row;

static Position *positions; /* from south to north */
static long count;
static long *position_of; /* by id; -1: there is none */
static long most_id = 0;
static long *seen; /* for each position the last search whose answer names it */
static struct geod_geodesic wgs84;

static double
truth(double longitude, double latitude, const Position *position)
{
	double		metres;

	geod_inverse(&wgs84, latitude, longitude, position->lat, position->lon, &metres, NULL, NULL);
	return metres;
}

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

static void *
room(void *memory, long items, size_t size)
{
	memory = realloc(memory, (items + 1) * size);
	if (!memory)
	{
		fprintf(stderr, "no memory for %ld items\n", items);
		exit(2);
	}
	return memory;
}

static FILE *
begin(const char *file)
{
	FILE	   *in = fopen(file, "r");

	if (!in)
	{
		perror(file);
		exit(2);
	}
	return in;
}

static void
end(FILE *in, const char *file, long lines)
{
	if (!feof(in))
	{
		fprintf(stderr, "%s: line %ld cannot be read\n", file, lines + 1);
		exit(2);
	}
	fclose(in);
}

static int
by_north(const void *a, const void *b)
{
	double		one = ((const Position *) a)->at[2];
	double		other = ((const Position *) b)->at[2];

	return (one > other) - (one < other);
}

static void
read_positions(const char *file)
{
	FILE	   *in = begin(file);
	long		space = 0,
				id,
				x,
				y;

	while (fscanf(in, "%ld %ld %ld", &id, &x, &y) == 3)
	{
		Position   *position;

		if (count == space)
			positions = room(positions, space = 2 * space + 1000, sizeof(Position));
		position = &positions[count++];
		position->id = id;
		position->lon = x / 1e7;
		position->lat = y / 1e7;
		straight(position->lon, position->lat, position->at);
		if (id > most_id)
			most_id = id;
	}
	end(in, file, count);
	qsort(positions, count, sizeof(Position), by_north);
	position_of = room(NULL, most_id + 1, sizeof(long));
	for (long i = 0; i <= most_id; i++)
		position_of[i] = -1;
	for (long i = 0; i < count; i++)
		position_of[positions[i].id] = i;
	seen = room(NULL, count, sizeof(long));
	for (long i = 0; i < count; i++)
		seen[i] = 0;
}

static long
read_searches(const char *file, Search **searches)
{
	FILE	   *in = begin(file);
	long		most = 0,
				space = 0,
				lines = 0,
				number,
				x,
				y;
	double		limit;
	char		kind;

	while (fscanf(in, "%ld %c %lf %ld %ld", &number, &kind, &limit, &x, &y) == 5 && number > 0)
	{
		if (number >= space)
		{
			long		before = space;

			*searches = room(*searches, space = 2 * number + 1000, sizeof(Search));
			for (long i = before; i < space; i++)
				(*searches)[i] = (Search) {0};
		}
		if (number > most)
			most = number;
		(*searches)[number] = (Search) {true, kind == 'k', limit, x / 1e7, y / 1e7, 0, 0};
		lines++;
	}
	end(in, file, lines);
	return most;
}

/* The rows, those of each search together and by their places; places from 1 on, none twice. */
static Row *
read_rows(const char *file, Search *searches, long most)
{
	FILE	   *in = begin(file);
	Row		   *read = NULL;
	Row		   *rows;
	Row			row;
	long		space = 0,
				lines = 0,
				first = 0;

	while (fscanf(in, "%ld %ld %ld %lf", &row.search, &row.place, &row.id, &row.metres) == 4)
	{
		if (row.search < 1 || row.search > most || !searches[row.search].there)
		{
			fprintf(stderr, "%s: line %ld: no such search\n", file, lines + 1);
			exit(2);
		}
		if (lines == space)
			read = room(read, space = 2 * space + 1000, sizeof(Row));
		read[lines++] = row;
		searches[row.search].rows++;
	}
	end(in, file, lines);
	rows = room(NULL, lines, sizeof(Row));
	for (long i = 0; i < lines; i++)
		rows[i].search = 0;
	for (long i = 1; i <= most; i++)
	{
		searches[i].first = first;
		first += searches[i].rows;
	}
	for (long i = 0; i < lines; i++)
	{
		const Search *search = &searches[read[i].search];
		long		place = read[i].place;

		if (place < 1 || place > search->rows || rows[search->first + place - 1].search)
		{
			fprintf(stderr, "%s: line %ld: place %ld\n", file, i + 1, place);
			exit(2);
		}
		rows[search->first + place - 1] = read[i];
	}
	free(read);
	return rows;
}

/* The first position at least so far north. */
static long
first_from(double north)
{
	long		low = 0,
				high = count;

	while (low < high)
	{
		long		middle = low + (high - low) / 2;

		if (positions[middle].at[2] < north)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What is wrong with an answer, or NULL. */
static const char *
judge(const Search *search, const Row *rows, long number, bool whole)
{
	double		at[3];
	double		last = 0;
	double		reach;
	long		i;

	if (search->nearest && search->rows != (search->limit < count ? (long) search->limit : count))
		return "number of rows";
	for (i = 0; i < search->rows; i++)
	{
		long		which = rows[i].id < 0 || rows[i].id > most_id ? -1 : position_of[rows[i].id];
		double		metres;

		if (which < 0 || seen[which] == number)
			return "a row twice, or one that there is not";
		seen[which] = number;
		metres = truth(search->lon, search->lat, &positions[which]);
		if (!(fabs(metres - rows[i].metres) <= SAME))
			return "distance";
		if (search->nearest && (metres < last - SAME || (i > 0 && rows[i].metres < rows[i - 1].metres)))
			return "order";
		if (metres > last)
			last = metres;
		if (!search->nearest && metres > search->limit + SAME)
			return "a row too far away";
	}
	if (search->nearest && search->rows == count)
		return NULL;

	/* whoever is clearly nearer has to be among them */
	reach = search->nearest ? last : search->limit;
	straight(search->lon, search->lat, at);
	for (i = whole ? 0 : first_from(at[2] - reach - ROUNDING); i < count; i++)
	{
		const Position *position = &positions[i];

		if (!whole)
		{
			double		x = position->at[0] - at[0];
			double		y = position->at[1] - at[1];
			double		z = position->at[2] - at[2];

			if (z > reach + ROUNDING)
				break;
			if (x * x + y * y + z * z > (reach + ROUNDING) * (reach + ROUNDING))
				continue;
		}
		if (seen[i] != number && truth(search->lon, search->lat, position) < reach - SAME)
			return "a row is missing";
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	Search	   *searches = NULL;
	Row		   *rows;
	long		most;
	long		every = argc == 5 ? atol(argv[4]) : 0;
	long		judged = 0;
	long		whole = 0;
	long		wrong = 0;

	if (every < 1)
	{
		fprintf(stderr, "usage: geo_brute POSITIONS SEARCHES ROWS EVERY\n");
		return 2;
	}
	geod_init(&wgs84, A, F);
	read_positions(argv[1]);
	most = read_searches(argv[2], &searches);
	rows = read_rows(argv[3], searches, most);
	for (long i = 1; i <= most; i++)
	{
		const Search *search = &searches[i];
		const char *what;

		if (!search->there)
			continue;
		judged++;
		if (i % every == 0)
			whole++;
		what = judge(search, rows + search->first, i, i % every == 0);
		if (what && wrong++ < 10)
			printf("wrong: %s, search %ld from %.7f %.7f, %c %.17g\n", what, i, search->lon, search->lat, search->nearest ? 'k' : 'r', search->limit);
	}
	printf("%ld positions, %ld searches, %ld of them wholly by geod_inverse, %ld wrong\n", count, judged, whole, wrong);
	return wrong != 0;
}
