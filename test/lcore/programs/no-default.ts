export const program = 42
