// Owns how the words of a failed step read: its first line says what failed, the lines after it are the end of the output.

/** What failed, in a sentence. */
export function headline(message: string): string {
  return message.split("\n", 1)[0]?.replace(/; its last lines:$/, "") ?? "";
}

/** The sentence, and below it the output's last lines as they were printed. */
export function ErrorWords({ message }: { message: string }) {
  const tail = message.slice(message.split("\n", 1)[0]?.length ?? 0).trim();
  return (
    <>
      <p className="break-words text-ink-2 first-letter:uppercase">{headline(message)}</p>
      {tail !== "" && (
        <pre ref={toItsEnd} role="group" aria-label="The last lines of its output" tabIndex={0} className="mt-2 max-h-48 overflow-auto rounded-md border border-line bg-surface px-2.5 py-2 font-mono text-xs leading-5 break-words whitespace-pre-wrap text-ink">
          {tail}
        </pre>
      )}
    </>
  );
}

/** What failed stands last. */
function toItsEnd(output: HTMLElement | null): void {
  if (output) output.scrollTop = output.scrollHeight;
}
