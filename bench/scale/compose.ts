import type { Context, Effort, Section } from '../section.js'

type Results<Parts> = {
  readonly [Name in keyof Parts]: Parts[Name] extends Section<infer Result> ? Result : never
}

/**
 * A section that is made of others, whose results it has under their names.
 *
 * @param parts - by the names of the parts; what they show and their figures come in this order
 */
export function compose<Parts extends Record<string, Section>>(
  name: string,
  title: string,
  parts: Parts,
): Section<Results<Parts>> {
  const all = Object.entries<Section>(parts)
  const resultOf = (results: Results<Parts>, part: string) =>
    (results as Record<string, unknown>)[part]
  const seconds = (effort: Effort) => all.reduce((sum, [, part]) => sum + part.seconds(effort), 0)
  return {
    name,
    title,
    seconds,
    async measure(context) {
      const results: Record<string, unknown> = {}
      const whole = seconds(context.effort)
      let before = 0
      for (const [key, part] of all) {
        const share = part.seconds(context.effort) / whole
        results[key] = await part.measure(within(context, before, share))
        before += share
      }
      return results as Results<Parts>
    },
    show: (results) => all.flatMap(([key, part]) => part.show(resultOf(results, key))),
    figures: (results) =>
      all.flatMap(([key, part]) =>
        part.figures(resultOf(results, key)).map((figure) => ({
          ...figure,
          key: `${key} ${figure.key}`,
        })),
      ),
  }
}

/** The context of a part that begins at `before` and takes `share` of the whole. */
function within(context: Context, before: number, share: number): Context {
  return {
    ...context,
    progress: (what, done) => context.progress(what, before + share * done),
    say: (what) => context.say(what),
  }
}
