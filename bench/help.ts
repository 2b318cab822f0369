import { BUDGET } from './budget.js'
import type { Section } from './section.js'

/** The text of `--help`. */
export function help(sections: readonly Section[]): string {
  const usual = `npm run bench [-- SECTION ...] [options]

  Measures all sections, or those that are named. --only with contenders, or an option of a section, is for rates
  when no section is named.

  --quick            what matters most, in ${BUDGET.quick / 60} minutes; without it, everything in ${BUDGET.usual / 60}
  --full             everything, in 45 minutes; says how long before it starts
  --only A,B         these sections, and these contenders in them
  --json FILE        writes everything that was measured
  --html FILE        writes a page with tables and plots, which needs nothing but itself
  --compare OLD      says what moved, beyond noise, since --json wrote the file OLD
  --from FILE        measures nothing: shows what --json wrote to FILE, for --html, --compare or the terminal
  --patience N       seconds to wait, before each turn, for both CPUs to be free (default: 0)
  --memory KIND      hugepages or memfd, for every process (default: hugepages if enough are free)
  --cpus S,G         CPU of the switch and CPU of the load (default: two that share no core)
  --smoke            whether everything works, in seconds; the numbers mean nothing
  --help             shows this

sections:
`
  return usual + sections.map(describe).join('\n')
}

function describe({ name, title, seconds, options = [], contenders = [] }: Section): string {
  const times = (['quick', 'usual', 'full'] as const).map((effort) => seconds(effort))
  const lines = [
    `  ${name.padEnd(16)} ${title} (about ${times.join(', ')} s)`,
    ...options.map(
      (option) => `    --${`${option.name} ${option.value}`.padEnd(16)} ${option.what}`,
    ),
    ...contenders.map((contender) => `      ${contender.name.padEnd(16)} ${contender.what}`),
  ]
  return `${lines.join('\n')}\n`
}
