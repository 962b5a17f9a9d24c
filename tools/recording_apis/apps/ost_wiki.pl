#!/usr/bin/perl
# A wiki of a sports club as a CGI program: raw text by GET and PUT, forms by POST, one file a page.
# Environment of the web server: none. The file "rules" beside it may hold: require, posttime (a form carries the
# time of the page it was made from, and an outdated one is answered with a page of status 200).
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Fcntl qw(:flock);
my ($folder) = $0 =~ m{^(.*)/[^/]*$};
my $rules = -e "$folder/rules" ? slurp("$folder/rules") : '';
my $page = $ENV{PATH_INFO} // '/Home';
$page =~ s{^/}{};
$page =~ s{[^A-Za-z0-9_]}{}g;
my $method = $ENV{REQUEST_METHOD};
my $file = "$folder/pages/$page.txt";
sub slurp { my ($name) = @_; open my $in, '<', $name or return ''; local $/; my $text = <$in>; close $in; return $text // ''; }
sub out {
  my ($status, $type, $text, @more) = @_;
  print "Status: $status\r\n", map { "$_\r\n" } @more;
  print "Content-Type: $type\r\n" if length $text;
  print "Content-Length: " . length($text) . "\r\n" unless $status =~ /^(?:304|204)/;
  print "\r\n", $text;
  exit;
}
my $text = slurp($file);
my ($author) = $text =~ /^#author (.*)\n/;
my $tag = '"' . md5_hex($text) . '"';
if ($method eq 'GET' || $method eq 'HEAD') {
  out('404 Not Found', 'text/plain', "no page $page\n") unless -e $file;
  out('304 Not Modified', '', '', "ETag: $tag") if ($ENV{HTTP_IF_NONE_MATCH} // '') eq $tag;
  if (($ENV{QUERY_STRING} // '') =~ /view=html/) {
    my $body = $text =~ s/&/&amp;/gr;
    out('200 OK', 'text/html', "<html><title>$page</title><body><pre>$body</pre><form method=post><textarea name=text></textarea></form></body></html>\n");
  }
  out('200 OK', 'text/x-wiki; charset=utf-8', $text, "ETag: $tag", 'Cache-Control: no-cache');
}
my $body = '';
read STDIN, $body, $ENV{CONTENT_LENGTH} // 0;
open my $lock, '>', "$folder/pages/.lock" or die;
flock $lock, LOCK_EX;
$text = slurp($file);
$tag = '"' . md5_hex($text) . '"';
my $match = $ENV{HTTP_IF_MATCH};
if ($method eq 'PUT') {
  out('428 Precondition Required', 'text/plain', "edit conflicts are not resolved here: say which text you edited (If-Match)\n") if !defined $match && -e $file && $rules =~ /require/;
  out('412 Precondition Failed', 'text/plain', "page $page exists\n") if ($ENV{HTTP_IF_NONE_MATCH} // '') eq '*' && -e $file;
  out('412 Precondition Failed', 'text/plain', "page $page: If-Match $match, text now $tag\n") if defined $match && $match ne '*' && (!-e $file || $match ne $tag);
  my $new = !-e $file;
  open my $to, '>', $file or die;
  print $to $body;
  close $to;
  out($new ? '201 Created' : '200 OK', 'text/plain', "saved " . length($body) . " octets\n", 'ETag: "' . md5_hex($body) . '"');
}
if ($method eq 'DELETE') {
  out('404 Not Found', 'text/plain', "no page $page\n") unless -e $file;
  out('412 Precondition Failed', 'text/plain', "page $page: If-Match $match, text now $tag\n") if defined $match && $match ne $tag;
  unlink $file;
  out('204 No Content', '', '');
}
out('405 Method Not Allowed', 'text/plain', "no\n");
