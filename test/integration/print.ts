// What a suite has measured or seen, for who reads its output.

export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
