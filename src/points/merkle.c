/*
 * merkle.c
 *		Merkle trees over links of hash chains, for the blocks of the ledger: the
 *		root, and the path of a leaf (RFC 9162, 2.1). The links are in chain.c.
 */
#include "points/chain.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(o2o_points_merkle_root);
PG_FUNCTION_INFO_V1(o2o_points_merkle_path);

#define HASH_SIZE O2O_POINTS_LINK_SIZE
#define PREFIX_LEAF 0
#define PREFIX_NODE 1

/* Where the path of a leaf goes, if one is wanted. */
typedef struct merkle_path
{
	ReturnSetInfo *result;
	int64 place; /* of the leaf, from 0 */
	int32 steps;
} merkle_path;

/* Leaves to the left of the root of a tree: the largest power of two below count. */
static int64
left_count(int64 count)
{
	int64 left = 1;

	while (left * 2 < count)
		left *= 2;
	return left;
}

static void
path_step(merkle_path *path, const char *part, const uint8 *hash)
{
	bytea *copy = palloc(VARHDRSZ + HASH_SIZE);
	Datum values[3];
	bool nulls[3] = {false, false, false};

	SET_VARSIZE(copy, VARHDRSZ + HASH_SIZE);
	memcpy(VARDATA(copy), hash, HASH_SIZE);
	values[0] = Int32GetDatum(++path->steps);
	values[1] = CStringGetTextDatum(part);
	values[2] = PointerGetDatum(copy);
	tuplestore_putvalues(path->result->setResult, path->result->setDesc, values, nulls);
}

/* The hash of a tree over count leaves, the first of which has this place. As deep as the tree: 64 at most. */
static void
tree_hash(o2o_points_chain *chain, const uint8 *leaves, int64 first, int64 count, merkle_path *path,
		  uint8 *hash)
{
	uint8 node[1 + 2 * HASH_SIZE];
	int64 left;

	if (count == 1)
	{
		node[0] = PREFIX_LEAF;
		memcpy(node + 1, leaves, HASH_SIZE);
		o2o_points_chain_hash(chain, node, 1 + HASH_SIZE, hash);
		return;
	}
	CHECK_FOR_INTERRUPTS();
	left = left_count(count);
	node[0] = PREFIX_NODE;
	tree_hash(chain, leaves, first, left, path, node + 1);
	tree_hash(chain, leaves + left * HASH_SIZE, first + left, count - left, path,
			  node + 1 + HASH_SIZE);
	if (path && path->place >= first && path->place < first + count)
	{
		if (path->place < first + left)
			path_step(path, "right", node + 1 + HASH_SIZE);
		else
			path_step(path, "left", node + 1);
	}
	o2o_points_chain_hash(chain, node, sizeof(node), hash);
}

/* How many leaves there are. */
static int64
leaf_count(const bytea *leaves)
{
	Size size = VARSIZE_ANY_EXHDR(leaves);

	if (size == 0 || size % HASH_SIZE != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("leaves of a Merkle tree must be one or more of %d bytes", HASH_SIZE)));
	return size / HASH_SIZE;
}

Datum
o2o_points_merkle_root(PG_FUNCTION_ARGS)
{
	bytea *leaves = PG_GETARG_BYTEA_PP(0);
	int64 count = leaf_count(leaves);
	o2o_points_chain *chain = o2o_points_chain_begin();
	bytea *root = palloc(VARHDRSZ + HASH_SIZE);

	SET_VARSIZE(root, VARHDRSZ + HASH_SIZE);
	tree_hash(chain, (const uint8 *) VARDATA_ANY(leaves), 0, count, NULL, (uint8 *) VARDATA(root));
	o2o_points_chain_end(chain);
	PG_RETURN_BYTEA_P(root);
}

Datum
o2o_points_merkle_path(PG_FUNCTION_ARGS)
{
	bytea *leaves = PG_GETARG_BYTEA_PP(0);
	int64 count = leaf_count(leaves);
	merkle_path path = {(ReturnSetInfo *) fcinfo->resultinfo, PG_GETARG_INT64(1) - 1, 0};
	o2o_points_chain *chain;
	uint8 root[HASH_SIZE];

	if (path.place < 0 || path.place >= count)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("the Merkle tree has no leaf " INT64_FORMAT, path.place + 1)));
	InitMaterializedSRF(fcinfo, 0);
	chain = o2o_points_chain_begin();
	tree_hash(chain, (const uint8 *) VARDATA_ANY(leaves), 0, count, &path, root);
	o2o_points_chain_end(chain);
	return (Datum) 0;
}
