// Owns the mark and the name.

export function Mark({ className = "size-7" }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden>
      <rect width="32" height="32" rx="8" className="fill-[#5146d9]" />
      <path d="M10 7v18M22 7v18M10 16h12" stroke="#fff" strokeWidth="3.4" strokeLinecap="round" />
      <circle cx="16" cy="16" r="3.6" fill="#fff" />
    </svg>
  );
}
