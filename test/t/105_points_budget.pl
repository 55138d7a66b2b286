# Sixteen writers on one budget and one enforced reserve: what is given comes to
# exactly what there was, never a point more, and nobody meets a deadlock. First
# bare draws from stripes, with rollbacks and payments among them; then orders
# with a campaign, until both are used up.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $long = is_long();
my $node = shop_node('points_budget', "deadlock_timeout = 200ms\n");
my $file = PostgreSQL::Test::Utils::tempdir();

# Runs a pgbench script by 16 clients, so many transactions each.
sub load_ok
{
	my ($name, $transactions, $script) = @_;
	append_to_file("$file/$name", $script);
	$node->command_like([ 'pgbench', '-n', '-U', 'shop_owner', '-c', 16, '-j', 2, '-t', $transactions, '-f', "$file/$name", 'shop' ],
		qr/number of failed transactions: 0 /, "$name: no transaction fails");
	return;
}

sub value
{
	my ($sql) = @_;
	return $node->safe_psql('shop', $sql);
}

$node->safe_psql('shop', q{
	SET ROLE shop_owner;
	CREATE TABLE o2o.drawn (amount o2o.points NOT NULL);
	SELECT o2o.points_stripes_open(-1, 16);
	SELECT o2o.points_stripes_put(-1, 10000);
});
# Three in ten roll back; one in a hundred puts 50 more in.
load_ok('draw', $long ? 2000 : 250, q{
\set amount random(1, 12)
\set dice random(1, 100)
\if :dice <= 30
BEGIN;
INSERT INTO o2o.drawn SELECT o2o.points_stripes_take(-1, :amount);
ROLLBACK;
\elif :dice <= 31
BEGIN;
SELECT o2o.points_stripes_put(-1, 50);
INSERT INTO o2o.drawn VALUES (-50);
COMMIT;
\else
INSERT INTO o2o.drawn SELECT o2o.points_stripes_take(-1, :amount, :amount % 2 = 0);
\endif
});
is(value(q{SELECT sum(amount::numeric) + o2o.points_stripes_available(-1)::numeric = 10000 FROM o2o.drawn}), 't',
	'what was drawn and what is left come to what was there');
value(q{INSERT INTO o2o.drawn SELECT o2o.points_stripes_take(-1, 1) FROM generate_series(1, 100000)}) if $long;
value(q{INSERT INTO o2o.drawn SELECT o2o.points_stripes_take(-1, 1000000, true)});
is(value(q{SELECT trim_scale(sum(amount::numeric)), o2o.points_stripes_available(-1) FROM o2o.drawn}), '10000|0', 'and all of it can be drawn');
is(value(q{SELECT o2o.points_stripes_take(-1, '0.0001', true)}), '0', 'then nothing more');

# The campaign gives 7 an order, which earns 1 besides; the reserve covers twice the campaign.
my $orders = $long ? 400 : 60;
my ($budget, $covered) = ($orders * 5, $orders * 10);
$node->safe_psql('shop', qq{
	SET ROLE shop_owner;
	SELECT o2o.points_program_create('club', 'Club', 'CNY', cost_per_point => 1, reserve_policy => 'enforce');
	SELECT o2o.points_reserve_deposit('club', $covered, 'start');
	INSERT INTO o2o.points_rule (program, kind, name, value, budget_id)
	SELECT 'club', 'bonus', 'Campaign', 7, o2o.points_budget_create('club', 'Campaign', $budget, funding => 'brand');
	SELECT o2o.identify(jsonb_build_object('card', n), 'pos') FROM generate_series(1, 100) n;
	CREATE SEQUENCE o2o.sold;
	CREATE FUNCTION o2o.sell(card integer) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		RETURN (SELECT points_earned FROM o2o.order_place(jsonb_build_object('card', card),
			'[{"sku": "T", "name": "Tea", "unit_price": 1}]', 'pos', nextval('o2o.sold')::text, 'pos', points_program => 'club'));
	EXCEPTION WHEN SQLSTATE 'O2305' THEN
		RETURN 'refused';
	END \$\$;
	CREATE FUNCTION o2o.spend(card integer, amount integer) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		RETURN (SELECT balance FROM o2o.points_burn(('card:' || card)::o2o.identifier, amount::o2o.points, 'club'));
	EXCEPTION WHEN SQLSTATE 'O2301' THEN
		RETURN 'insufficient';
	END \$\$;
});
load_ok('orders', $orders, q{
\set card random(1, 100)
\set dice random(1, 10)
\if :dice <= 8
SELECT o2o.sell(:card);
\else
SELECT o2o.spend(:card, :dice - 6);
\endif
});
is(value(q{SELECT * FROM o2o.points_verify()}), '', 'points_verify() returns no row');
is(value(qq{SELECT trim_scale(available) = $budget % 7 AND trim_scale(issued) = $budget - $budget % 7 FROM o2o.points_budgets}), 't',
	'the campaign gave all that makes whole bonuses');
is(value(q{SELECT sum(p.amount::numeric) = (SELECT issued FROM o2o.points_budgets) FROM o2o.points_posting p WHERE p.funding = 'brand' AND p.operation = 'earn'}),
	't', 'and that is what was posted');
is(value(qq{SELECT outstanding <= $covered FROM o2o.points_reserve WHERE program = 'club'}), 't', 'the reserve was never passed');
value(q{DO $$ BEGIN WHILE o2o.sell(1) <> 'refused' LOOP END LOOP; END $$});
is(value(q{SELECT outstanding, trim_scale(headroom), is_breached FROM o2o.points_reserve WHERE program = 'club'}), "$covered|0|f",
	'it covers exactly what is outstanding once an order is refused');
is(value(q{SELECT * FROM o2o.points_verify()}), '', 'points_verify() returns no row then');

# At the limit: what burns free is issued again by whoever comes first, while the rollup goes on.
$node->safe_psql('shop', q{
	SET ROLE shop_owner;
	CREATE FUNCTION o2o.give(card integer, amount integer) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN (SELECT balance FROM o2o.points_earn(('card:' || card)::o2o.identifier, amount::o2o.points, 'club'));
	EXCEPTION WHEN SQLSTATE 'O2305' THEN
		RETURN 'refused';
	END $$;
});
load_ok('limit', $long ? 1000 : 100, q{
\set card random(1, 100)
\set dice random(1, 100)
\if :dice <= 55
SELECT o2o.give(:card, :dice % 4 + 1);
\elif :dice <= 85
SELECT o2o.spend(:card, :dice % 3 + 1);
\elif :dice <= 90
BEGIN;
SELECT o2o.spend(:card, 3);
SELECT o2o.give(:card, 2);
ROLLBACK;
\elif :dice <= 98
SELECT outstanding, 1 / (NOT is_breached)::integer FROM o2o.points_reserve_status('club');
\else
SELECT o2o.points_rollup_advance();
\endif
});
value(q{DO $$ BEGIN WHILE o2o.give(1, 1) <> 'refused' LOOP END LOOP; END $$});
is(value(q{SELECT outstanding, trim_scale(headroom) FROM o2o.points_reserve_status('club')}), "$covered|0", 'the last free point is issued, and not one more');
is(value(q{SELECT trim_scale(sum(l.remaining::numeric)) FROM o2o.points_lot l JOIN o2o.points_account a USING (profile_id, account_id) WHERE a.program = 'club'}),
	$covered, 'as the lots have it');
# of whoever has most: chance decides who has any
is(value(q{SELECT o2o.spend((SELECT card FROM generate_series(1, 100) card, o2o.points_balance(('card:' || card)::o2o.identifier) b
		WHERE b.program = 'club' ORDER BY b.available DESC LIMIT 1), 1) <> 'insufficient', o2o.give(2, 1) <> 'refused', o2o.give(2, 1)}), 't|t|refused', 'a point burned is a point to issue');
is(value(q{SELECT * FROM o2o.points_verify()}), '', 'points_verify() returns no row at the limit');
unlike(slurp_file($node->logfile), qr/deadlock detected|PANIC|TRAP/, 'no deadlock');
done_testing();
