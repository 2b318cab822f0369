/**
 * Offset of a header that a frame does not have, or not in full.
 *
 * It is negative by more than any field is away from its header, so an accessor that is given it throws a
 * `RangeError` instead of reading the bytes of some other frame.
 */
export const ABSENT = -0x10000
