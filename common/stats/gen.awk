# Reads counters.def.
#
#	awk -v out=head -v room=R -f gen.awk counters.def	R's figures
#	awk -v out=table -f gen.awk counters.def		all, for control

/^[ \t]*(#|$)/ { next }

NF < 4 || $2 !~ /^(counter|gauge)$/ {
	printf "%s:%d: process, kind, name, help\n", FILENAME, FNR \
	    > "/dev/stderr"
	bad = 1
	exit 1
}

{
	help = $4
	for (i = 5; i <= NF; i++)
		help = help " " $i
	if ($1 == "all")
		nall++
	rows++
	proc[rows] = $1
	kind[rows] = $2
	name[rows] = $3
	text[rows] = help
	place[rows] = $1 == "all" ? nall - 1 : nall + count[$1]++
}

function put_row(i, who)
{
	printf "\t{ PROC_%s, %d, \"%s\", %s, \"%s\" },\n", toupper(who),
	    place[i], name[i], kind[i] == "counter" ? "true" : "false", text[i]
}

END {
	if (bad)
		exit 1
	if (out == "head") {
		printf "/* Generated from counters.def. */\n\n"
		printf "#ifndef MCPD_STATS_%s_H\n#define MCPD_STATS_%s_H\n\n",
		    toupper(room), toupper(room)
		printf "#include \"common/stats/stats.h\"\n\nenum {\n"
		for (i = 1; i <= rows; i++)
			if (proc[i] == "all" || proc[i] == room)
				printf "\tSTAT_%s = %d,\n", toupper(name[i]),
				    place[i]
		printf "};\n\n#endif\n"
		exit 0
	}
	printf "/* Generated from counters.def. */\n\n"
	printf "#include \"common/stats/stats.h\"\n\n"
	printf "const struct stats_row stats_rows[] = {\n"
	for (i = 1; i <= rows; i++)
		if (proc[i] == "all")
			printf "\t{ PROC__COUNT, %d, \"%s\", %s, \"%s\" },\n",
			    place[i], name[i],
			    kind[i] == "counter" ? "true" : "false", text[i]
		else
			put_row(i, proc[i])
	printf "};\n\nconst size_t stats_nrows = %d;\n", rows
}
