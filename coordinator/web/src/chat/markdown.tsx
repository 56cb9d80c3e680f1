// Owns Markdown from the assistant, which may quote a stranger's repository: an allow-list of elements, no raw HTML,
// no images, and links only where their full address can be read.
import ReactMarkdown from "react-markdown";
import remarkGfm from "remark-gfm";

const ALLOWED = ["p", "strong", "em", "code", "pre", "ul", "ol", "li", "a", "blockquote", "br", "h1", "h2", "h3", "hr", "table", "thead", "tbody", "tr", "th", "td", "del"];

function safe(url: string): string {
  return /^https?:\/\//i.test(url) || /^\/(?!\/)/.test(url) ? url : "";
}

export default function Markdown({ text }: { text: string }) {
  return (
    <div className="space-y-2 text-base break-words text-ink [&_blockquote]:border-l-2 [&_blockquote]:border-line-strong [&_blockquote]:pl-3 [&_blockquote]:text-ink-2 [&_ol]:list-decimal [&_ol]:pl-5 [&_ul]:list-disc [&_ul]:pl-5">
      <ReactMarkdown
        allowedElements={ALLOWED}
        unwrapDisallowed
        skipHtml
        urlTransform={safe}
        remarkPlugins={[remarkGfm]}
        components={{
          a: ({ href, children }) =>
            href ? (
              <a href={href} target="_blank" rel="noreferrer noopener nofollow" title={href} className="text-accent underline underline-offset-2">
                {children}
              </a>
            ) : (
              <span>{children}</span>
            ),
          code: ({ children }) => <code className="rounded bg-idle-soft px-1 py-0.5 text-[0.85em]">{children}</code>,
          pre: ({ children }) => <pre tabIndex={0} className="overflow-x-auto rounded-md border border-line bg-log p-3 text-xs [&_code]:bg-transparent [&_code]:p-0">{children}</pre>,
          h1: ({ children }) => <p className="text-lg font-semibold">{children}</p>,
          h2: ({ children }) => <p className="font-semibold">{children}</p>,
          h3: ({ children }) => <p className="font-semibold">{children}</p>,
          table: ({ children }) => (
            <div className="overflow-x-auto">
              <table className="text-sm [&_td]:border-t [&_td]:border-line [&_td]:py-1 [&_td]:pr-4 [&_th]:py-1 [&_th]:pr-4 [&_th]:text-left">{children}</table>
            </div>
          ),
        }}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
