/**
 * Answers messages of the form `{ type: 'name', ... }`, each type by its own function.
 *
 * @param program - name of the program, for the error that an unknown type gets
 */
export function byType(
  program: string,
  answers: Readonly<Record<string, (message: object) => unknown>>,
): (message: unknown) => unknown {
  return (message) => {
    if (
      typeof message === 'object' &&
      message !== null &&
      'type' in message &&
      typeof message.type === 'string'
    ) {
      const answer = Object.hasOwn(answers, message.type) ? answers[message.type] : undefined
      if (answer !== undefined) return answer(message)
    }
    const types = Object.keys(answers).map((type) => `{ type: '${type}' }`)
    throw new TypeError(`${program} answers ${types.join(', ')}, and nothing else`)
  }
}
