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
 * the graph changes once to a hash table of nodes (components_hash.c).
 */
#include "identity/components.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define PAGE_BITS 10
#define PAGE_IDS (1 << PAGE_BITS)
#define FIRST_PAGES 64
#define SPARSE_PLACES 6 /* of a page, for one node in use */

#define NO_PAGE (-1)

typedef struct PageEntry
{
	int64 number; /* id >> PAGE_BITS */
	int32 page;   /* NO_PAGE: none */
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

struct O2OGraph64
{
	int32 count; /* nodes in pages */
	int32 waiting;
	int64 pairs[O2O_WAITING_MAX][2];
	Pages pages;
	O2OHashed64 *hashed; /* NULL: still in pages */
};

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

/* Where the entry of a page is, or would be. */
static inline PageEntry *
page_entry(Pages *pages, int64 number)
{
	uint32 at = o2o_id_spread(number) & pages->table_mask;

	while (pages->table[at].page != NO_PAGE && pages->table[at].number != number)
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
	pages->links = o2o_graph_resize(pages->links, (uint64) capacity * PAGE_IDS * sizeof(int32));
	pages->numbers = o2o_graph_resize(pages->numbers, (uint64) capacity * sizeof(int64));
	pages->table = o2o_graph_resize(pages->table, 2 * (uint64) capacity * sizeof(PageEntry));
	pages->capacity = capacity;
	pages->table_mask = 2 * capacity - 1;
	for (int32 i = 0; i < 2 * capacity; i++)
		pages->table[i].page = NO_PAGE;
	for (int32 i = 0; i < pages->count; i++)
	{
		PageEntry *entry = page_entry(pages, pages->numbers[i]);

		entry->number = pages->numbers[i];
		entry->page = i;
	}
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
	O2OHashed64 *hashed = o2o_hashed64_create(graph->count, pages_bytes(pages->capacity));

	for (int32 i = 0; i < places; i++)
	{
		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		if (pages->links[i] != O2O_LINK_ABSENT)
			o2o_hashed64_join(hashed, place_id(pages, i),
							  place_id(pages, o2o_find_root(pages->links, i)));
	}
	pfree(pages->links);
	pfree(pages->numbers);
	pfree(pages->table);
	graph->hashed = hashed;
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

/* The page of this number, made where there is none; NO_PAGE: the graph is hashed now. */
static int32
page_of(O2OGraph64 *graph, int64 number)
{
	Pages *pages = &graph->pages;
	PageEntry *entry = page_entry(pages, number);

	if (entry->page == NO_PAGE)
	{
		if (pages->count == pages->capacity)
		{
			if (is_sparse(graph))
			{
				change_to_hash(graph);
				return NO_PAGE;
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

	if (page == NO_PAGE)
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
	int32 places[O2O_WAITING_MAX][2];

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

static void
join_waiting(O2OGraph64 *graph)
{
	if (graph->hashed != NULL || !pages_join_waiting(graph))
		o2o_hashed64_join_all(graph->hashed, graph->pairs, graph->waiting);
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
	if (++graph->waiting == O2O_WAITING_MAX)
		join_waiting(graph);
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
	order = o2o_graph_resize(NULL, Max(graph->count, 1) * sizeof(int32));
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
		o2o_graph_row(result, id, component);
	}
	pfree(order);
}

/* A row for each node, in the order of component and node. The graph is used up. */
void
o2o_graph64_answer(O2OGraph64 *graph, ReturnSetInfo *result)
{
	join_waiting(graph);
	if (graph->hashed != NULL)
		o2o_hashed64_answer(graph->hashed, result);
	else
		pages_answer(graph, result);
}
