/*
 * components.h
 *		Graphs whose components are looked for: what components.c, which SQL sees,
 *		and the graphs over numbers and over identifiers share.
 */
#ifndef O2O_COMPONENTS_H
#define O2O_COMPONENTS_H

#include "postgres.h"

#include "funcapi.h"

#define O2O_GRAPH_INTERRUPT 4096 /* steps between looks for a cancel */

/*
 * The link of a node in a forest: its parent, or for a root the size of its
 * tree. At the end a root's becomes the place of its next node in the answer.
 */
#define O2O_LINK_ABSENT PG_INT32_MIN
#define O2O_GRAPH_MAX ((1 << 30) - 1) /* nodes, and places for nodes */

static inline int32
o2o_link_of_size(int32 size)
{
	return PG_INT32_MIN + size;
}

static inline int32
o2o_size_of_link(int32 link)
{
	return link - PG_INT32_MIN;
}

/* Does the link of a root hold a place? That is how it encodes one. */
static inline bool
o2o_link_is_place(int32 link)
{
	return link >= -O2O_GRAPH_MAX - 1;
}

static inline int32
o2o_link_of_place(int32 place)
{
	return -1 - place;
}

static inline int32
o2o_place_of_link(int32 link)
{
	return -1 - link;
}

/* Root of a node; on the way every other link is cut short (path halving). */
static inline int32
o2o_find_root(int32 *links, int32 at)
{
	int32 up;
	int32 above;

	while ((up = links[at]) >= 0)
	{
		above = links[up];
		if (above < 0)
			return up;
		links[at] = above;
		at = above;
	}
	return at;
}

/* Joins the trees of two nodes, the smaller one below the larger. */
static inline void
o2o_join_nodes(int32 *links, int32 a, int32 b)
{
	int32 x = o2o_find_root(links, a);
	int32 y = o2o_find_root(links, b);
	int32 x_size;
	int32 y_size;

	if (x == y)
		return;
	x_size = o2o_size_of_link(links[x]);
	y_size = o2o_size_of_link(links[y]);
	if (x_size < y_size)
	{
		links[x] = y;
		links[y] = o2o_link_of_size(x_size + y_size);
	}
	else
	{
		links[y] = x;
		links[x] = o2o_link_of_size(x_size + y_size);
	}
}

/*
 * The place of a node in the answer, which has the components in the order in
 * which they are first asked for. *next is the first free place.
 */
static inline int32
o2o_take_place(int32 *links, int32 node, int32 *next)
{
	int32 root = o2o_find_root(links, node);
	int32 place;

	if (o2o_link_is_place(links[root]))
		place = o2o_place_of_link(links[root]);
	else
	{
		place = *next;
		*next += o2o_size_of_link(links[root]);
	}
	links[root] = o2o_link_of_place(place + 1);
	return place;
}

/*
 * Pairs of ids wait until there are some, so that their places can be fetched from
 * memory at once: one by one, most of the time would be spent waiting for it.
 */
#define O2O_WAITING_MAX 32

/* Spreads the bits of an id over a hash table (a bijection of 64 bits). */
static inline uint32
o2o_id_spread(int64 id)
{
	uint64 x = (uint64) id;

	x ^= x >> 32;
	x *= UINT64CONST(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64CONST(0xd6e8feb86659fd93);
	x ^= x >> 32;
	return (uint32) x;
}

/* components.c */
extern void o2o_graph_memory(uint64 bytes, int32 nodes);
extern void *o2o_graph_resize(void *old, uint64 bytes);
extern void o2o_graph_row(ReturnSetInfo *result, int64 node, int64 component);

/* components_hash.c */
typedef struct O2OHashed64 O2OHashed64;

extern O2OHashed64 *o2o_hashed64_create(int32 nodes, uint64 beside);
extern void o2o_hashed64_join(O2OHashed64 *hashed, int64 a, int64 b);
extern void o2o_hashed64_join_all(O2OHashed64 *hashed, int64 pairs[][2], int count);
extern void o2o_hashed64_answer(O2OHashed64 *hashed, ReturnSetInfo *result);

/* components_bigint.c */
typedef struct O2OGraph64 O2OGraph64;

extern O2OGraph64 *o2o_graph64_create(void);
extern void o2o_graph64_join(O2OGraph64 *graph, int64 a, int64 b);
extern void o2o_graph64_answer(O2OGraph64 *graph, ReturnSetInfo *result);

/* components_identifier.c */
typedef struct O2OGraphText O2OGraphText;

extern O2OGraphText *o2o_graph_text_create(void);
extern void
o2o_graph_text_join(O2OGraphText *graph, const struct varlena *a, const struct varlena *b);
extern void o2o_graph_text_answer(O2OGraphText *graph, ReturnSetInfo *result);

#endif /* O2O_COMPONENTS_H */
