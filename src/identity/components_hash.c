/*
 * components_hash.c
 *		Union-find over scattered 64-bit ids. Dense ones, and what decides which of
 *		the two a graph is, live in components_bigint.c.
 *
 * A hash table of nodes (open addressing, at most two thirds full); at the end the
 * nodes are sorted.
 */
#include "identity/components.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define FIRST_SLOTS 1024
#define EMPTY_SLOT (-1)

/* The node of an id is its place in ids and links. */
struct O2OHashed64
{
	int64 *ids;
	int32 *links;
	int32 *slots;
	int32 count;
	int32 capacity;
	uint32 slot_mask;
};

/* A row of the answer. */
typedef struct Node64
{
	int64 id;
	int64 component;
} Node64;

static inline int
compare_nodes(const Node64 *x, const Node64 *y)
{
	if (x->component != y->component)
		return x->component < y->component ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return 0;
}

#define ST_SORT sort_nodes
#define ST_ELEMENT_TYPE Node64
#define ST_COMPARE(x, y) compare_nodes(x, y)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Makes room for slot_count slots, a power of two, and two thirds as many nodes, beside other bytes. */
static void
grow(O2OHashed64 *hashed, uint64 slot_count, uint64 beside)
{
	uint64 capacity = slot_count * 2 / 3;

	if (capacity > O2O_GRAPH_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("graph has too many nodes")));
	o2o_graph_memory(slot_count * sizeof(int32) + capacity * (sizeof(int64) + sizeof(int32)) +
						 beside,
					 hashed->count);
	if (hashed->slots != NULL)
		pfree(hashed->slots);
	hashed->slots = NULL;
	hashed->ids = o2o_graph_resize(hashed->ids, capacity * sizeof(int64));
	hashed->links = o2o_graph_resize(hashed->links, capacity * sizeof(int32));
	hashed->slots = o2o_graph_resize(NULL, slot_count * sizeof(int32));
	memset(hashed->slots, 0xFF, slot_count * sizeof(int32)); /* EMPTY_SLOT */
	hashed->capacity = (int32) capacity;
	hashed->slot_mask = (uint32) slot_count - 1;

	for (int32 i = 0; i < hashed->count; i++)
	{
		uint32 at = o2o_id_spread(hashed->ids[i]) & hashed->slot_mask;

		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		while (hashed->slots[at] != EMPTY_SLOT)
			at = (at + 1) & hashed->slot_mask;
		hashed->slots[at] = i;
	}
}

/* An empty graph with room for some nodes, beside other bytes. */
O2OHashed64 *
o2o_hashed64_create(int32 nodes, uint64 beside)
{
	O2OHashed64 *hashed = palloc0(sizeof(O2OHashed64));
	uint64 slot_count = FIRST_SLOTS;

	while (slot_count * 2 / 3 <= (uint64) nodes)
		slot_count *= 2;
	grow(hashed, slot_count, beside);
	return hashed;
}

/* The node of an id in the hash; a new one is a tree of its own. */
static int32
node_of(O2OHashed64 *hashed, int64 id)
{
	uint32 at = o2o_id_spread(id) & hashed->slot_mask;

	while (hashed->slots[at] != EMPTY_SLOT)
	{
		if (hashed->ids[hashed->slots[at]] == id)
			return hashed->slots[at];
		at = (at + 1) & hashed->slot_mask;
	}
	if (hashed->count == hashed->capacity)
	{
		grow(hashed, ((uint64) hashed->slot_mask + 1) * 2, 0);
		at = o2o_id_spread(id) & hashed->slot_mask;
		while (hashed->slots[at] != EMPTY_SLOT)
			at = (at + 1) & hashed->slot_mask;
	}
	hashed->slots[at] = hashed->count;
	hashed->ids[hashed->count] = id;
	hashed->links[hashed->count] = o2o_link_of_size(1);
	return hashed->count++;
}

/* Joins two ids in the hash. */
void
o2o_hashed64_join(O2OHashed64 *hashed, int64 a, int64 b)
{
	int32 x = node_of(hashed, a);
	int32 y = node_of(hashed, b);

	o2o_join_nodes(hashed->links, x, y);
}

/* Joins pairs, whose places are fetched from memory at once. */
void
o2o_hashed64_join_all(O2OHashed64 *hashed, int64 pairs[][2], int count)
{
	for (int32 i = 0; i < count; i++)
		for (int32 side = 0; side < 2; side++)
			__builtin_prefetch(&hashed->slots[o2o_id_spread(pairs[i][side]) & hashed->slot_mask]);
	for (int32 i = 0; i < count; i++)
		for (int32 side = 0; side < 2; side++)
		{
			int32 node = hashed->slots[o2o_id_spread(pairs[i][side]) & hashed->slot_mask];

			if (node != EMPTY_SLOT)
			{
				__builtin_prefetch(&hashed->ids[node]);
				__builtin_prefetch(&hashed->links[node], 1);
			}
		}
	for (int32 i = 0; i < count; i++)
		o2o_hashed64_join(hashed, pairs[i][0], pairs[i][1]);
}

/* The lowest id of each component beside each of its nodes, then a sort. */
void
o2o_hashed64_answer(O2OHashed64 *hashed, ReturnSetInfo *result)
{
	Node64 *nodes;

	pfree(hashed->slots);
	o2o_graph_memory((uint64) hashed->count * sizeof(Node64) +
						 (uint64) hashed->capacity * sizeof(int32),
					 hashed->count);
	/* the ids lie at the beginning, and move apart from the end on */
	nodes = o2o_graph_resize(hashed->ids, (uint64) hashed->count * sizeof(Node64));
	for (int32 i = hashed->count - 1; i >= 0; i--)
	{
		int64 id = ((int64 *) nodes)[i];

		nodes[i].id = id;
		nodes[i].component = id;
	}
	for (int32 i = 0; i < hashed->count; i++)
	{
		Node64 *root = &nodes[o2o_find_root(hashed->links, i)];

		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		root->component = Min(root->component, nodes[i].id);
	}
	for (int32 i = 0; i < hashed->count; i++)
		nodes[i].component = nodes[o2o_find_root(hashed->links, i)].component;
	sort_nodes(nodes, hashed->count);
	for (int32 i = 0; i < hashed->count; i++)
	{
		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		o2o_graph_row(result, nodes[i].id, nodes[i].component);
	}
}
