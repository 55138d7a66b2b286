# Without the modules o2o_phone, o2o_idn and o2o_pinyin the functions that need them say so,
# O2005, and everything else goes on: on a copy of the installation that has
# every file but these three.
use strict;
use warnings;
use File::Basename;
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

sub config
{
	my ($what) = @_;
	my ($out, $err) = run_command([ 'pg_config', "--$what" ]);
	die $err if $out eq '';
	return $out;
}

# A server finds its files relative to its binary: real binaries, links to the rest.
my %dir = map { $_ => config($_) } qw(bindir pkglibdir sharedir);
my $prefix = $dir{bindir};
$prefix = dirname $prefix while index($dir{sharedir}, "$prefix/") != 0;
my $copy = PostgreSQL::Test::Utils::tempdir();
my %new = map { $_ => $copy . substr($dir{$_}, length $prefix) } keys %dir;
make_path($new{bindir}, $new{pkglibdir}, dirname $new{sharedir});
system_or_bail('cp', glob("$dir{bindir}/{postgres,initdb,pg_ctl,psql,pg_config,pg_controldata}"), $new{bindir});
symlink $dir{sharedir}, $new{sharedir} or die "$new{sharedir}: $!";
my $left_out = 0;
for my $file (glob "$dir{pkglibdir}/*")
{
	if ($file =~ m{/o2o_(phone|idn|pinyin)\.so$}) { $left_out++; next; }
	symlink $file, "$new{pkglibdir}/" . basename($file);
}
is($left_out, 3, 'the modules are installed, and left out here');

my $node = PostgreSQL::Test::Cluster->new('module_missing', install_path => dirname $new{bindir});
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION "O2O" CASCADE');

my %needs = (
	o2o_phone => [
		q{SELECT o2o.identifier_phone('138 0013 8000', 'CN')},
		q{SELECT o2o.identifier_phone_or_null('138 0013 8000', 'CN')},
		q{SELECT o2o.identifiers_from_json('{"phone": "138 0013 8000"}', 'CN')},
	],
	o2o_idn => [
		q{SELECT o2o.identifier('email', U&'ann@\4F8B\5B50.\4E2D\56FD')},
		q{SELECT o2o.identifier_or_null(U&'email:ann@\4F8B\5B50.\4E2D\56FD')},
	],
	o2o_pinyin => [
		q{SELECT o2o.pinyin(U&'\5F20\4F1F')},
		q{SELECT o2o.match_keys(U&'{"n": "\5F20\4F1F"}', o2o.match_model_default('{"n": "full_name"}'))},
	]);
for my $module (sort keys %needs)
{
	for my $query (@{ $needs{$module} })
	{
		my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$query");
		like($err, qr/ERROR:  O2005: module $module is not available/, $query);
	}
}

# In one session: the error leaves nothing behind, and no other kind needs a module.
my $out = $node->safe_psql('postgres', q{
	BEGIN;
	SELECT o2o.identifier('card:1');
	SAVEPOINT before;
	DO $$ BEGIN PERFORM o2o.identifier_phone('138 0013 8000', 'CN'); EXCEPTION WHEN SQLSTATE 'O2005' THEN NULL; END $$;
	SELECT o2o.identifier_phone('+8613800138000', 'CN'), o2o.identifier_email('Ann@Example.com'), o2o.pinyin('Wei'),
		o2o.identifiers_from_json('{"phone": "+86 138 0013 8000", "card": 1}');
	COMMIT;});
is($out, "card:1\nphone:+8613800138000|email:ann\@example.com|Wei|{card:1,phone:+8613800138000}",
	'what needs no module goes on working');

$node->stop;
done_testing();
