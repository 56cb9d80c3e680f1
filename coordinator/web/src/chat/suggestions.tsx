// Owns the sentences that make sense now, ready to be sent with one click.

export function Suggestions({ texts, onSay }: { texts: string[]; onSay: (text: string) => void }) {
  if (texts.length === 0) return null;
  return (
    <ul aria-label="Suggestions" className="mb-2 flex flex-wrap gap-1.5">
      {texts.map((text) => (
        <li key={text} className="max-w-full">
          <button
            type="button"
            onClick={() => { onSay(text); }}
            className="max-w-full truncate rounded-full border border-line-strong bg-surface px-3 py-1 text-sm text-ink-2 shadow-1 hover:border-accent hover:text-accent"
          >
            {text}
          </button>
        </li>
      ))}
    </ul>
  );
}
