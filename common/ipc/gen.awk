# Reads messages.def and writes what follows from it.
#
#	awk -v out=words -f gen.awk messages.def	enumerations, for all
#	awk -v out=table -f gen.awk messages.def	the table of rows
#	awk -v out=head -v room=R -f gen.awk ...	what R may send and take
#	awk -v out=dispatch -v room=R -f gen.awk ...	R's handlers, in a table
#	awk -v out=manual -f gen.awk messages.def	rows for mcpd-privsep.7

function fail(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what > "/dev/stderr"
	bad = 1
	exit 1
}

function upper(s) { return toupper(s) }

function proc_mask(list,	n, a, i, s)
{
	n = split(list, a, ",")
	s = ""
	for (i = 1; i <= n; i++) {
		if (a[i] != "child" && !((a[i]) in is_proc))
			fail("no process named " a[i])
		s = s (i > 1 ? "|" : "") "PROC_MASK_" upper(a[i])
	}
	return s
}

function has(list, who,		n, a, i)
{
	n = split(list, a, ",")
	for (i = 1; i <= n; i++)
		if (a[i] == who)
			return 1
	return 0
}

# Does the process "who" stand on that side of row m?  The pseudo process
# "child" stands for the code that every child shares.
function sends(m, who,		i)
{
	for (i = 1; i <= nedges[m]; i++)
		if (has(from[m, i], who))
			return 1
	return 0
}

function takes(m, who,		i)
{
	for (i = 1; i <= nedges[m]; i++)
		if (has(to[m, i], who))
			return 1
	return 0
}

/^[ \t]*(#|$)/ { next }

/^enum[ \t]/ {
	if (!($2 in words)) {
		enums[++nenums] = $2
		words[$2] = ""
	}
	for (i = 3; i <= NF; i++) {
		words[$2] = words[$2] (words[$2] == "" ? "" : " ") $i
		if ($2 == "process")
			is_proc[$i] = 1
	}
	next
}

/^[A-Z]/ {
	m = ++nmsgs
	name[m] = $1
	if ($1 in seen)
		fail("a second row for " $1)
	seen[$1] = 1
	nedges[m] = NF - 1
	for (i = 2; i <= NF; i++) {
		if (split($i, side, ">") != 2)
			fail("an edge is sender>receiver, not " $i)
		from[m, i - 1] = side[1]
		to[m, i - 1] = side[2]
		proc_mask(side[1])
		proc_mask(side[2])
	}
	nfields[m] = 0
	next
}

/^\t/ {
	if (m == 0)
		fail("a field before the first row")
	f = ++nfields[m]
	kind[m, f] = $1
	field[m, f] = $2
	max[m, f] = 0
	if ($1 == "enum") {
		if (!($3 in words))
			fail("no enum named " $3)
		word[m, f] = $3
	} else if ($1 ~ /^(bin|str|blob|list|body)$/) {
		if ($3 !~ /^[0-9]+$/)
			fail("field " $2 " needs a maximum")
		max[m, f] = $3
	} else if ($1 !~ /^(u8|u16|u32|u64|fd)$/)
		fail("no type named " $1)
	next
}

{ fail("neither an enum, a row nor a field") }

function ctype(m, f,	k)
{
	k = kind[m, f]
	if (k == "u8" || k == "enum")
		return "uint8_t\t\t "
	if (k == "u16")
		return "uint16_t\t "
	if (k == "u32")
		return "uint32_t\t "
	if (k == "u64")
		return "uint64_t\t "
	if (k == "bin")
		return "uint8_t\t\t "
	if (k == "body")
		return "struct body\t "
	if (k == "fd")
		return "int\t\t "
	return "struct bytes\t "
}

function put_struct(m,	f)
{
	printf "struct msg_%s {\n", tolower(name[m])
	for (f = 1; f <= nfields[m]; f++)
		printf "\t%s%s%s;\n", ctype(m, f), field[m, f],
		    kind[m, f] == "bin" ? "[" max[m, f] "]" : ""
	if (nfields[m] == 0)
		printf "\tuint8_t\t\t nothing;\n"
	printf "};\n\n"
}

function put_words(	i, j, n, a, pre)
{
	printf "/* Generated from messages.def. */\n\n"
	printf "#ifndef MCPD_WORDS_H\n#define MCPD_WORDS_H\n\n"
	for (i = 1; i <= nenums; i++) {
		pre = enums[i] == "process" ? "PROC" : upper(enums[i])
		n = split(words[enums[i]], a, " ")
		printf "enum %s {\n", enums[i]
		for (j = 1; j <= n; j++)
			printf "\t%s_%s,\n", pre, upper(a[j])
		printf "\t%s__COUNT\n};\n\n", pre
		printf "const char *%s_word(unsigned int);\n\n", enums[i]
		if (enums[i] != "process")
			continue
		for (j = 1; j <= n; j++)
			printf "#define PROC_MASK_%s\t(1U << PROC_%s)\n",
			    upper(a[j]), upper(a[j])
		printf "#define PROC_MASK_CHILD\t" \
		    "(((1U << PROC__COUNT) - 1) & ~PROC_MASK_PARENT)\n\n"
	}
	printf "enum msg {\n"
	for (i = 1; i <= nmsgs; i++)
		printf "\tMSG_%s,\n", name[i]
	printf "\tMSG__COUNT\n};\n\n#endif\n"
}

function put_head(	i, lower)
{
	printf "/* Generated from messages.def: what %s may send and take. */\n\n",
	    room
	printf "#ifndef MCPD_MESSAGES_%s_H\n#define MCPD_MESSAGES_%s_H\n\n",
	    upper(room), upper(room)
	printf "#include \"common/ipc/ipc.h\"\n\n"
	if (room != "all")
		printf "struct %s;\n\n", room
	for (i = 1; i <= nmsgs; i++) {
		lower = tolower(name[i])
		if (room != "all" && !sends(i, room) && !takes(i, room))
			continue
		put_struct(i)
		if (room != "all" && takes(i, room))
			printf "void %s_on_%s(struct %s *, struct edge *, " \
			    "uint64_t,\n    struct msg_%s *);\n\n",
			    room, lower, room, lower
		if (room != "all" && sends(i, room) &&
		    name[i] !~ /^CONF_/)
			printf "static inline void\nsend_%s(struct edge *e, " \
			    "uint64_t call, struct msg_%s *m)\n{\n" \
			    "\tedge_send(e, MSG_%s, call, m);\n}\n\n",
			    lower, lower, name[i]
	}
	if (room != "all")
		printf "extern const ipc_handler %s_handlers[];\n\n", room
	printf "#endif\n"
}

function put_dispatch(	i, lower)
{
	printf "/* Generated from messages.def. */\n\n"
	printf "#include \"%s/messages.h\"\n\n", room
	for (i = 1; i <= nmsgs; i++) {
		if (!takes(i, room))
			continue
		lower = tolower(name[i])
		printf "static void\ntake_%s(void *env, struct edge *e, " \
		    "uint64_t call, void *m)\n{\n" \
		    "\t%s_on_%s(env, e, call, m);\n}\n\n", lower, room, lower
	}
	printf "const ipc_handler %s_handlers[MSG__COUNT] = {\n", room
	for (i = 1; i <= nmsgs; i++)
		if (takes(i, room))
			printf "\t[MSG_%s] = take_%s,\n", name[i],
			    tolower(name[i])
	printf "};\n"
}

function put_table(	i, j, f, n, a)
{
	printf "/* Generated from messages.def. */\n\n"
	printf "#include <stddef.h>\n\n"
	printf "#include \"all/messages.h\"\n#include \"common/ipc/codec.h\"\n\n"
	for (i = 1; i <= nenums; i++) {
		n = split(words[enums[i]], a, " ")
		printf "const char *\n%s_word(unsigned int i)\n{\n", enums[i]
		printf "\tstatic const char *const words[] = {\n"
		for (j = 1; j <= n; j++)
			printf "\t\t\"%s\",\n", a[j]
		printf "\t};\n\n\treturn i < %d ? words[i] : \"?\";\n}\n\n", n
	}
	for (i = 1; i <= nmsgs; i++) {
		if (nfields[i] == 0)
			continue
		printf "static const struct row_field fields_%d[] = {\n", i
		for (f = 1; f <= nfields[i]; f++) {
			n = max[i, f]
			if (kind[i, f] == "enum")
				n = split(words[word[i, f]], a, " ")
			printf "\t{ \"%s\", FIELD_%s, %d,\n" \
			    "\t    offsetof(struct msg_%s, %s) },\n",
			    field[i, f], upper(kind[i, f]), n,
			    tolower(name[i]), field[i, f]
		}
		printf "};\n\n"
	}
	for (i = 1; i <= nmsgs; i++) {
		printf "static const struct row_edge edges_%d[] = {\n", i
		for (j = 1; j <= nedges[i]; j++)
			printf "\t{ %s, %s },\n", proc_mask(from[i, j]),
			    proc_mask(to[i, j])
		printf "};\n\n"
	}
	printf "const struct row msg_rows[MSG__COUNT] = {\n"
	for (i = 1; i <= nmsgs; i++)
		printf "\t{ \"%s\", %s, edges_%d, %d, %s, %d,\n" \
		    "\t    sizeof(struct msg_%s) },\n", name[i],
		    name[i] ~ /^CONF_/ ? "true" : "false", i, nedges[i],
		    nfields[i] ? "fields_" i : "NULL", nfields[i],
		    tolower(name[i])
	printf "};\n\n"
	printf "union any_msg {\n"
	for (i = 1; i <= nmsgs; i++)
		printf "\tstruct msg_%s\t m%d;\n", tolower(name[i]), i
	printf "};\n\nconst size_t msg_size_max = sizeof(union any_msg);\n"
}

function put_manual(	i, j, f, s)
{
	for (i = 1; i <= nmsgs; i++) {
		s = ""
		for (j = 1; j <= nedges[i]; j++)
			s = s (j > 1 ? ", " : "") from[i, j] " to " to[i, j]
		gsub(/,/, ", ", s)
		gsub(/,  /, ", ", s)
		printf ".It Dv %s\n%s", name[i], s
		for (f = 1; f <= nfields[i]; f++)
			printf "%s%s", f == 1 ? ":\n" : ", ", field[i, f]
		printf ".\n"
	}
}

END {
	if (bad)
		exit 1
	if (out == "words")
		put_words()
	else if (out == "head")
		put_head()
	else if (out == "dispatch")
		put_dispatch()
	else if (out == "table")
		put_table()
	else if (out == "manual")
		put_manual()
	else {
		print "gen.awk: no such output: " out > "/dev/stderr"
		exit 1
	}
}
