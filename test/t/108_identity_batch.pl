# A backfill that is stopped in the middle: a call is cancelled, another killed with
# the whole server; the next ones, two at once, go on behind the last chunk, take
# no row twice, and come to what one import of all comes to.
use strict;
use warnings;
use lib 'test/t';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(sleep);

my $rows = is_long() ? 200000 : 3000;
my $chunk = is_long() ? 2000 : 150;
my $node = shop_node('batch', "fsync = on\nfull_page_writes = on\n");

# Every third event shows a second union id or a device of many, so that rules refuse some.
my $staged = qq{
	UPDATE o2o.identifier_kind SET shared_threshold = 3 WHERE kind = 'device';
	INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers)
	SELECT 1, (ARRAY['pos', 'web', 'app'])[1 + n % 3], 'e' || n, timestamptz '2026-01-01 00:00+00' + hashint4(n) % 100000 * interval '1 second',
		CASE n % 3 WHEN 0 THEN jsonb_build_object('card', 'c' || n / 6, 'email', 'p' || n / 9 || '\@shop.cn')
			WHEN 1 THEN jsonb_build_object('card', 'c' || n / 6, 'unionid', 'u' || n / 5)
			ELSE jsonb_build_object('email', 'p' || n / 9 || '\@shop.cn', 'device', 'd' || n % 50) END
	FROM generate_series(1, $rows) n;
	ANALYZE o2o.import_identity};
$node->safe_psql('postgres', 'CREATE DATABASE whole TEMPLATE shop');
$node->safe_psql($_, $staged) for 'shop', 'whole';

my $done = 'SELECT coalesce(sum(rows_done), 0) FROM o2o.identity_batch_progress';

# A call, in a session of its own, until the view shows this many rows.
sub call_until
{
	my ($wanted) = @_;
	my ($out, $err) = ('', '');
	my $call = IPC::Run::start(
		[ 'psql', '-X', '-q', '-d', $node->connstr('shop'), '-c', "SET application_name = 'backfill'", '-c', "CALL o2o.identity_resolve_batch(1, $chunk)" ],
		'<', \undef, '>', \$out, '2>', \$err);
	for (1 .. 3000)
	{
		last if $node->safe_psql('shop', $done) >= $wanted;
		sleep 0.02;
	}
	return ($call, \$err);
}

my ($call, $err) = call_until($chunk);
$node->safe_psql('shop', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'backfill'});
IPC::Run::finish($call);
like($$err, qr/canceling statement due to user request/, 'cancelled in the middle');
my $cancelled_at = $node->safe_psql('shop', $done);
cmp_ok($cancelled_at, '>=', $chunk, 'what was committed stays');
cmp_ok($cancelled_at, '<', $rows, 'and there is more to do');
is($node->safe_psql('shop', 'SELECT rows_total - rows_done - rows_failed = rows_left AND rows_per_second > 0 AND finished_at IS NULL FROM o2o.identity_batch_progress'),
	't', 'the view shows it as not finished');

($call, $err) = call_until($cancelled_at + $chunk);
kill_all($node);
IPC::Run::finish($call);
$node->start;
my $killed_at = $node->safe_psql('shop', $done);
cmp_ok($killed_at, '>', $cancelled_at, 'the second call went on before the server was killed');
cmp_ok($killed_at, '<', $rows, 'in the middle as well');
is($killed_at, $node->safe_psql('shop', 'SELECT count(profile_id) FROM o2o.import_identity'), 'the view counts the rows that are done');
is($node->safe_psql('shop', 'SELECT * FROM o2o.identity_verify()'), '', 'after the crash: identity_verify() returns no row');

my ($outs, $errs) = writers_wait(writers_start_lists($node, 'shop', map { [ "CALL o2o.identity_resolve_batch(1, $chunk);\n" ] } 1 .. 2));
is(join("\n", grep { /ERROR|FATAL/ } @$errs), '', 'two calls at once end without an error');
is($node->safe_psql('shop', 'SELECT rows_total, rows_done, rows_failed, rows_left, finished_at IS NOT NULL FROM o2o.identity_batch_progress'), "$rows|$rows|0|0|t", 'all rows are done, each once');

$node->safe_psql('whole', 'SELECT o2o.identity_import(1)');
my $partition = q{
	SELECT string_agg(i.identifier::text || CASE WHEN i.is_shared THEN ' shared' ELSE '' END, ' ' ORDER BY i.identifier)
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id)
	GROUP BY p.customer_id ORDER BY min(i.identifier::text COLLATE "C")};
my $evidence = q{
	SELECT e.status, e.source, e.reason, e.event_id, e.occurred_at,
		(SELECT string_agg(i.identifier::text, ' ' ORDER BY i.identifier) FROM unnest(e.profiles) u (id) JOIN o2o.profile_identifier i ON i.profile_id = u.id) AS shown
	FROM o2o.identity_evidence e ORDER BY 6, 1, 2, 3, 4};
is($node->safe_psql('shop', $partition), $node->safe_psql('whole', $partition), 'the customers are those of one import');
is($node->safe_psql('shop', $evidence), $node->safe_psql('whole', $evidence), 'and the evidence');
cmp_ok($node->safe_psql('shop', q{SELECT count(*) FROM o2o.identity_evidence WHERE status = 'suppressed'}), '>', 0, 'rules refused some');
components_ok($node, 'shop', 'at the end');
is($node->safe_psql('shop', 'SELECT * FROM o2o.identity_verify()'), '', 'identity_verify() returns no row');
unlike(slurp_file($node->logfile), qr/deadlock detected|PANIC|terminated by signal 11|XX000|XX001/, 'no deadlock, no crash but ours, no internal error');
$node->stop;
done_testing();
