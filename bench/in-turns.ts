/**
 * Has all take turns until nobody wants another: A B C, C B A, A B C and so on, so that what drifts with time meets all alike.
 *
 * @param wants - asked before each turn
 */
export async function inTurns<T>(
  all: readonly T[],
  wants: (one: T) => boolean,
  take: (one: T) => Promise<void>,
): Promise<void> {
  for (let turn = 0; ; turn++) {
    const wanting = all.filter(wants)
    if (wanting.length === 0) return
    for (const one of turn % 2 === 0 ? wanting : wanting.reverse()) await take(one)
  }
}
