/** What the type of a frame says to the program. */
export const EtherType = { plain: 0x88b5, stuck: 0x88b6 } as const
