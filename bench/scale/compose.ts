import type { Asked, Context, Section } from '../section.js'

/** Of each part that was measured. */
type Results<Parts> = {
  readonly [Name in keyof Parts]?: Parts[Name] extends Section<infer Result> ? Result : never
}

/**
 * A section that is made of others, whose results it has under their names. `--only` names parts.
 *
 * @param parts - by the names of the parts; what they show and their figures come in this order
 */
export function compose<Parts extends Record<string, Section>>(
  name: string,
  title: string,
  parts: Parts,
): Section<Results<Parts>> {
  const all = Object.entries<Section>(parts)
  const measured = (results: Results<Parts>) =>
    all.flatMap(([key, part]) => {
      const result = (results as Record<string, unknown>)[key]
      return result === undefined ? [] : [{ key, part, result }]
    })
  const wantedOf = (asked?: Asked) => all.filter(([key]) => asked?.only?.includes(key) ?? true)
  return {
    name,
    title,
    contenders: all.map(([key, part]) => ({ name: key, what: part.title })),
    seconds: (effort, asked) => sumOf(wantedOf(asked).map(([, part]) => part.seconds(effort))),
    async measure(context) {
      const { effort } = context
      const wanted = wantedOf(context)
      const whole = sumOf(wanted.map(([, part]) => part.seconds(effort)))
      const results: Record<string, unknown> = {}
      let before = 0
      for (const [key, part] of wanted) {
        const share = part.seconds(effort) / whole
        let kept: unknown
        const keep = (result: unknown) => {
          kept = structuredClone(result)
          context.keep?.({ ...results, [key]: kept })
        }
        try {
          results[key] = await part.measure({ ...within(context, before, share), keep })
        } catch (error) {
          if (context.signal.aborted) throw error
          context.lose(`${key}: ${(error as Error).message}`)
          if (kept !== undefined) results[key] = kept
        }
        context.keep?.(results)
        before += share
      }
      return results as Results<Parts>
    },
    show: (results) => measured(results).flatMap(({ part, result }) => part.show(result)),
    figures: (results) =>
      measured(results).flatMap(({ key, part, result }) =>
        part.figures(result).map((figure) => ({ ...figure, key: `${key} ${figure.key}` })),
      ),
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** The context of a part that begins at `before` and takes `share` of the whole. */
function within(context: Context, before: number, share: number): Context {
  const { only: _, ...rest } = context
  return {
    ...rest,
    progress: (what, done) => context.progress(what, before + share * done),
    say: (what) => context.say(what),
    lose: (what) => context.lose(what),
  }
}
