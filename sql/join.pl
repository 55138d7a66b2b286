#!/usr/bin/perl
# Joins the install pieces by number into the extension script, and puts the
# statements of the model pieces into o2o.model_statement(), from which
# o2o.setup() runs them one by one.
# Usage: join.pl --version V INSTALL.sql... --model MODEL.sql...
use strict;
use warnings;

my (@install, @model, $version);
my $list = \@install;
while (@ARGV)
{
	my $arg = shift @ARGV;
	if ($arg eq '--version') { $version = shift @ARGV; }
	elsif ($arg eq '--model') { $list = \@model; }
	else { push @$list, $arg; }
}
die "join.pl: no version\n" unless defined $version;

sub read_file
{
	my ($path) = @_;
	open my $in, '<:encoding(UTF-8)', $path or die "join.pl: $path: $!\n";
	local $/;
	my $text = <$in>;
	close $in;
	return $text;
}

# Split a piece into its statements: a semicolon outside quotes, comments,
# dollar quotes and BEGIN ATOMIC bodies ends one. Comments before a statement go.
sub statements
{
	my ($path, $text) = @_;
	my @found;
	my $current = '';
	pos($text) = 0;
	while (pos($text) < length $text)
	{
		if ($text =~ /\G(\$(?:[A-Za-z_]\w*)?\$)/gc)
		{
			my $tag = $1;
			my $end = index($text, $tag, pos($text));
			die "join.pl: $path: no end of $tag\n" if $end < 0;
			$current .= $tag . substr($text, pos($text), $end - pos($text)) . $tag;
			pos($text) = $end + length $tag;
		}
		elsif ($text =~ /\G('(?:[^']|'')*')/gc) { $current .= $1; }
		elsif ($text =~ /\G("(?:[^"]|"")*")/gc) { $current .= $1; }
		elsif ($text =~ /\G--[^\n]*/gc) { }
		elsif ($text =~ m{\G/\*.*?\*/}gcs) { }
		elsif ($text =~ /\G;/gc)
		{
			# an atomic body ends with an END of its own, after its last semicolon
			if ($current =~ /\bBEGIN\s+ATOMIC\b/ && $current !~ /;\s*END\s*$/)
			{
				$current .= ';';
				next;
			}
			$current =~ s/^\s+|\s+$//g;
			$current =~ s/[ \t]+\n/\n/g;
			push @found, $current if length $current;
			$current = '';
		}
		elsif ($text =~ /\G([^\$'"\-\/;]+|.)/gcs) { $current .= $1; }
	}
	die "join.pl: $path: text after the last semicolon: $current\n" if $current =~ /\S/;
	return @found;
}

binmode STDOUT, ':encoding(UTF-8)';
print "-- O2O $version: joined from sql/install and sql/model, do not edit.\n";
print "\\echo Use CREATE EXTENSION \"O2O\" CASCADE to load this file. \\quit\n";
for my $path (@install)
{
	print "\n-- $path\n", read_file($path);
}

my @rows;
my $ordinal = 0;
for my $path (@model)
{
	(my $piece = $path) =~ s{.*/|\.sql$}{}g;
	for my $statement (statements($path, read_file($path)))
	{
		die "join.pl: $path: \$o2o_statement\$ is the joiner's own quote\n"
		  if index($statement, '$o2o_statement$') >= 0;
		$ordinal++;
		push @rows, "\t($ordinal, '$piece', \$o2o_statement\$$statement\$o2o_statement\$)";
	}
}
die "join.pl: no model statements\n" if @model && !@rows;
print "\n-- sql/model\n";
print "CREATE FUNCTION o2o.model_statement(OUT ordinal integer, OUT piece text, OUT statement text)\n",
  "RETURNS SETOF record LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 300\n",
  "SET search_path = pg_catalog, pg_temp AS \$o2o_model\$\nVALUES\n",
  join(",\n", @rows), "\n\$o2o_model\$;\n",
  "COMMENT ON FUNCTION o2o.model_statement() IS 'The statements of the model, in the order in which setup() runs them: ordinal, piece (file of sql/model), statement.';\n";
