/*
 * components_bigint.c
 *		Union-find over 64-bit ids. Where the pairs come from lives in
 *		components.c, the links of a forest in components.h.
 *
 * Ids in use are mostly dense: sequences, or short runs of numbers. So the links
 * of ids lie in pages of 1,024 that are found through a small table, and an id
 * needs 4 bytes, with no hash of its own and no sort at the end: the pages are
 * put in order, and a pass over them gives every node its place in the answer.
 * Where less than a sixth of the pages' places is in use and memory gets scarce,
 * the graph changes once to a hash table of nodes (open addressing, at most two
 * thirds full), and the nodes are sorted at the end.
 */
#include "identity/components.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define PAGE_BITS 10
#define PAGE_IDS (1 << PAGE_BITS)
#define FIRST_PAGES 64
#define SPARSE_PLACES 6 /* of a page, for one node in use */

#define FIRST_SLOTS 1024
#define EMPTY_SLOT (-1)

typedef struct PageEntry
{
	int64 number; /* id >> PAGE_BITS */
	int32 page;   /* EMPTY_SLOT: none */
} PageEntry;

/* Ids by page: the node of an id is its place among the links of all pages. */
typedef struct Pages
{
	int32 *links; /* capacity * PAGE_IDS */
	int64 *numbers;
	PageEntry *table;
	int32 count;
	int32 capacity;
	uint32 table_mask;
	int64 last_number; /* neighbours mostly share their page */
	int32 last_page;
} Pages;

/* Ids by hash: the node of an id is its place in ids and links. */
typedef struct Hashed
{
	int64 *ids;
	int32 *links;
	int32 *slots;
	int32 capacity;
	uint32 slot_mask;
} Hashed;

/*
 * Pairs wait until there are some, so that their places can be fetched from
 * memory at once: one by one, most of the time would be spent waiting for it.
 */
#define WAITING_MAX 32

struct O2OGraph64
{
	int32 count; /* nodes */
	int32 waiting;
	bool is_hashed;
	int64 pairs[WAITING_MAX][2];
	Pages pages;
	Hashed hashed;
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

static inline int
compare_pages(const PageEntry *x, const PageEntry *y)
{
	return x->number < y->number ? -1 : x->number > y->number;
}

#define ST_SORT sort_pages
#define ST_ELEMENT_TYPE PageEntry
#define ST_COMPARE(x, y) compare_pages(x, y)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Spreads the bits of an id over a hash table (a bijection of 64 bits). */
static inline uint32
spread(int64 id)
{
	uint64 x = (uint64) id;

	x ^= x >> 32;
	x *= UINT64CONST(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64CONST(0xd6e8feb86659fd93);
	x ^= x >> 32;
	return (uint32) x;
}

/* Room for at least so many elements; the old ones stay. */
static void *
resize(void *old, uint64 bytes)
{
	if (old == NULL)
		return palloc_extended(bytes, MCXT_ALLOC_HUGE);
	return repalloc_huge(old, bytes);
}

/* Where the entry of a page is, or would be. */
static inline PageEntry *
page_entry(Pages *pages, int64 number)
{
	uint32 at = spread(number) & pages->table_mask;

	while (pages->table[at].page != EMPTY_SLOT && pages->table[at].number != number)
		at = (at + 1) & pages->table_mask;
	return &pages->table[at];
}

/* Bytes of so many pages with their numbers, and of their table (half full). */
static uint64
pages_bytes(uint64 capacity)
{
	return capacity * (PAGE_IDS * sizeof(int32) + sizeof(int64) + 2 * sizeof(PageEntry));
}

/* Twice as many pages; at the end a node needs 4 more bytes, which are asked for here. */
static void
pages_grow(O2OGraph64 *graph, int32 capacity)
{
	Pages *pages = &graph->pages;

	if (capacity > O2O_GRAPH_MAX / PAGE_IDS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("graph has too many nodes")));
	o2o_graph_memory(pages_bytes(capacity) + (uint64) graph->count * sizeof(int32), graph->count);
	pages->links = resize(pages->links, (uint64) capacity * PAGE_IDS * sizeof(int32));
	pages->numbers = resize(pages->numbers, (uint64) capacity * sizeof(int64));
	pages->table = resize(pages->table, 2 * (uint64) capacity * sizeof(PageEntry));
	pages->capacity = capacity;
	pages->table_mask = 2 * capacity - 1;
	for (int32 i = 0; i < 2 * capacity; i++)
		pages->table[i].page = EMPTY_SLOT;
	for (int32 i = 0; i < pages->count; i++)
	{
		PageEntry *entry = page_entry(pages, pages->numbers[i]);

		entry->number = pages->numbers[i];
		entry->page = i;
	}
}

/* Makes room for slot_count slots, a power of two, and two thirds as many nodes, beside other bytes. */
static void
hashed_grow(O2OGraph64 *graph, uint64 slot_count, uint64 beside)
{
	Hashed *hashed = &graph->hashed;
	uint64 capacity = slot_count * 2 / 3;

	if (capacity > O2O_GRAPH_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("graph has too many nodes")));
	o2o_graph_memory(slot_count * sizeof(int32) + capacity * (sizeof(int64) + sizeof(int32)) +
						 beside,
					 graph->count);
	if (hashed->slots != NULL)
		pfree(hashed->slots);
	hashed->slots = NULL;
	hashed->ids = resize(hashed->ids, capacity * sizeof(int64));
	hashed->links = resize(hashed->links, capacity * sizeof(int32));
	hashed->slots = resize(NULL, slot_count * sizeof(int32));
	memset(hashed->slots, 0xFF, slot_count * sizeof(int32)); /* EMPTY_SLOT */
	hashed->capacity = (int32) capacity;
	hashed->slot_mask = (uint32) slot_count - 1;

	for (int32 i = 0; i < graph->count; i++)
	{
		uint32 at = spread(hashed->ids[i]) & hashed->slot_mask;

		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		while (hashed->slots[at] != EMPTY_SLOT)
			at = (at + 1) & hashed->slot_mask;
		hashed->slots[at] = i;
	}
}

/* The node of an id in the hash; a new one is a tree of its own. */
static int32
hashed_node(O2OGraph64 *graph, int64 id)
{
	Hashed *hashed = &graph->hashed;
	uint32 at = spread(id) & hashed->slot_mask;

	while (hashed->slots[at] != EMPTY_SLOT)
	{
		if (hashed->ids[hashed->slots[at]] == id)
			return hashed->slots[at];
		at = (at + 1) & hashed->slot_mask;
	}
	if (graph->count == hashed->capacity)
	{
		hashed_grow(graph, ((uint64) hashed->slot_mask + 1) * 2, 0);
		at = spread(id) & hashed->slot_mask;
		while (hashed->slots[at] != EMPTY_SLOT)
			at = (at + 1) & hashed->slot_mask;
	}
	hashed->slots[at] = graph->count;
	hashed->ids[graph->count] = id;
	hashed->links[graph->count] = o2o_link_of_size(1);
	return graph->count++;
}

/* Joins two ids in the hash. */
static void
hashed_join(O2OGraph64 *graph, int64 a, int64 b)
{
	int32 x = hashed_node(graph, a);
	int32 y = hashed_node(graph, b);

	o2o_join_nodes(graph->hashed.links, x, y);
}

/* The id whose link lies at a place. */
static inline int64
place_id(const Pages *pages, int32 place)
{
	return pages->numbers[place / PAGE_IDS] * PAGE_IDS + (place & (PAGE_IDS - 1));
}

/* From pages to hash: every node is joined again to its root. */
static void
change_to_hash(O2OGraph64 *graph)
{
	Pages *pages = &graph->pages;
	int32 places = pages->count * PAGE_IDS;
	uint64 slot_count = FIRST_SLOTS;

	while (slot_count * 2 / 3 <= (uint64) graph->count)
		slot_count *= 2;
	graph->count = 0;
	hashed_grow(graph, slot_count, pages_bytes(pages->capacity));
	for (int32 i = 0; i < places; i++)
	{
		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		if (pages->links[i] != O2O_LINK_ABSENT)
			hashed_join(graph, place_id(pages, i), place_id(pages, o2o_find_root(pages->links, i)));
	}
	pfree(pages->links);
	pfree(pages->numbers);
	pfree(pages->table);
	graph->is_hashed = true;
}

/*
 * Are the ids too scattered for pages? In random order dense ids look scattered
 * at first, so that is not asked before the pages need much of the memory, which
 * must suffice for the hash beside them.
 */
static bool
is_sparse(const O2OGraph64 *graph)
{
	const Pages *pages = &graph->pages;

	return (int64) graph->count * SPARSE_PLACES < (int64) pages->count * PAGE_IDS &&
		   pages_bytes(2 * (uint64) pages->capacity) > (uint64) maintenance_work_mem * 1024 / 4 * 3;
}

/* The page of this number, made where there is none; EMPTY_SLOT: the graph is hashed now. */
static int32
page_of(O2OGraph64 *graph, int64 number)
{
	Pages *pages = &graph->pages;
	PageEntry *entry = page_entry(pages, number);

	if (entry->page == EMPTY_SLOT)
	{
		if (pages->count == pages->capacity)
		{
			if (is_sparse(graph))
			{
				change_to_hash(graph);
				return EMPTY_SLOT;
			}
			pages_grow(graph, pages->capacity * 2);
			entry = page_entry(pages, number);
		}
		for (int32 i = 0; i < PAGE_IDS; i++)
			pages->links[pages->count * PAGE_IDS + i] = O2O_LINK_ABSENT;
		pages->numbers[pages->count] = number;
		entry->number = number;
		entry->page = pages->count++;
	}
	pages->last_number = number;
	pages->last_page = entry->page;
	return entry->page;
}

/* The place of an id, which is fetched; -1: the graph is hashed now. */
static inline int32
place_of(O2OGraph64 *graph, int64 id)
{
	Pages *pages = &graph->pages;
	int64 number = id >> PAGE_BITS;
	int32 page = number == pages->last_number ? pages->last_page : page_of(graph, number);
	int32 place;

	if (page == EMPTY_SLOT)
		return -1;
	place = page * PAGE_IDS + (int32) (id & (PAGE_IDS - 1));
	__builtin_prefetch(&pages->links[place], 1);
	return place;
}

/* Makes a place a node where it is none yet. */
static inline void
use_place(O2OGraph64 *graph, int32 place)
{
	if (graph->pages.links[place] != O2O_LINK_ABSENT)
		return;
	graph->pages.links[place] = o2o_link_of_size(1);
	graph->count++;
}

/* Joins the waiting pairs by pages; false: the graph is hashed now, and none is joined. */
static bool
pages_join_waiting(O2OGraph64 *graph)
{
	int32 places[WAITING_MAX][2];

	for (int32 i = 0; i < graph->waiting; i++)
		for (int32 side = 0; side < 2; side++)
		{
			places[i][side] = place_of(graph, graph->pairs[i][side]);
			if (places[i][side] < 0)
				return false;
		}
	for (int32 i = 0; i < graph->waiting; i++)
	{
		use_place(graph, places[i][0]);
		use_place(graph, places[i][1]);
		o2o_join_nodes(graph->pages.links, places[i][0], places[i][1]);
	}
	return true;
}

/* Joins the waiting pairs by hash. */
static void
hashed_join_waiting(O2OGraph64 *graph)
{
	const Hashed *hashed = &graph->hashed;

	for (int32 i = 0; i < graph->waiting; i++)
		for (int32 side = 0; side < 2; side++)
			__builtin_prefetch(&hashed->slots[spread(graph->pairs[i][side]) & hashed->slot_mask]);
	for (int32 i = 0; i < graph->waiting; i++)
		for (int32 side = 0; side < 2; side++)
		{
			int32 node = hashed->slots[spread(graph->pairs[i][side]) & hashed->slot_mask];

			if (node != EMPTY_SLOT)
			{
				__builtin_prefetch(&hashed->ids[node]);
				__builtin_prefetch(&hashed->links[node], 1);
			}
		}
	for (int32 i = 0; i < graph->waiting; i++)
		hashed_join(graph, graph->pairs[i][0], graph->pairs[i][1]);
}

static void
join_waiting(O2OGraph64 *graph)
{
	if (graph->is_hashed || !pages_join_waiting(graph))
		hashed_join_waiting(graph);
	graph->waiting = 0;
}

/* An empty graph. */
O2OGraph64 *
o2o_graph64_create(void)
{
	O2OGraph64 *graph = palloc0(sizeof(O2OGraph64));

	graph->pages.last_number = PG_INT64_MAX; /* no id has it */
	pages_grow(graph, FIRST_PAGES);
	return graph;
}

/* Puts two nodes into one component. */
void
o2o_graph64_join(O2OGraph64 *graph, int64 a, int64 b)
{
	graph->pairs[graph->waiting][0] = a;
	graph->pairs[graph->waiting][1] = b;
	if (++graph->waiting == WAITING_MAX)
		join_waiting(graph);
}

static void
put_row(ReturnSetInfo *result, int64 node, int64 component)
{
	Datum values[2] = {Int64GetDatum(node), Int64GetDatum(component)};
	bool nulls[2] = {false, false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Ids ascending by page, so that components come by their lowest ids. */
static void
pages_answer(O2OGraph64 *graph, ReturnSetInfo *result)
{
	Pages *pages = &graph->pages;
	int32 *order;
	int32 next = 0;
	int32 last_root = -1;
	int64 component = 0;

	o2o_graph_memory(pages_bytes(pages->capacity) + (uint64) graph->count * sizeof(int32),
					 graph->count);
	order = resize(NULL, Max(graph->count, 1) * sizeof(int32));
	for (int32 i = 0; i < pages->count; i++)
		pages->table[i] = (PageEntry){pages->numbers[i], i};
	sort_pages(pages->table, pages->count);
	for (int32 i = 0; i < pages->count; i++)
	{
		int32 node = pages->table[i].page * PAGE_IDS;

		CHECK_FOR_INTERRUPTS();
		for (int32 end = node + PAGE_IDS; node < end; node++)
			if (pages->links[node] != O2O_LINK_ABSENT)
				order[o2o_take_place(pages->links, node, &next)] = node;
	}
	for (int32 i = 0; i < graph->count; i++)
	{
		int32 node = order[i];
		int32 root = o2o_find_root(pages->links, node);
		int64 id = place_id(pages, node);

		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		if (root != last_root)
			component = id;
		last_root = root;
		put_row(result, id, component);
	}
	pfree(order);
}

/* The lowest id of each component beside each of its nodes, then a sort. */
static void
hashed_answer(O2OGraph64 *graph, ReturnSetInfo *result)
{
	Hashed *hashed = &graph->hashed;
	Node64 *nodes;

	pfree(hashed->slots);
	o2o_graph_memory((uint64) graph->count * sizeof(Node64) +
						 (uint64) hashed->capacity * sizeof(int32),
					 graph->count);
	/* the ids lie at the beginning, and move apart from the end on */
	nodes = resize(hashed->ids, (uint64) graph->count * sizeof(Node64));
	for (int32 i = graph->count - 1; i >= 0; i--)
	{
		int64 id = ((int64 *) nodes)[i];

		nodes[i].id = id;
		nodes[i].component = id;
	}
	for (int32 i = 0; i < graph->count; i++)
	{
		Node64 *root = &nodes[o2o_find_root(hashed->links, i)];

		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		root->component = Min(root->component, nodes[i].id);
	}
	for (int32 i = 0; i < graph->count; i++)
		nodes[i].component = nodes[o2o_find_root(hashed->links, i)].component;
	sort_nodes(nodes, graph->count);
	for (int32 i = 0; i < graph->count; i++)
	{
		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		put_row(result, nodes[i].id, nodes[i].component);
	}
}

/* A row for each node, in the order of component and node. The graph is used up. */
void
o2o_graph64_answer(O2OGraph64 *graph, ReturnSetInfo *result)
{
	join_waiting(graph);
	if (graph->is_hashed)
		hashed_answer(graph, result);
	else
		pages_answer(graph, result);
}
