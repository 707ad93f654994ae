/* SPDX-License-Identifier: ISC */

	.section .rodata
	.global schema_text
	.global schema_text_end
schema_text:
	.incbin "etc/mcpd.schema.json"
schema_text_end:
	.byte 0
	.section .note.GNU-stack,"",@progbits
