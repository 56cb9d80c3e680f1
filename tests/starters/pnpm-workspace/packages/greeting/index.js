exports.greeting = (from) => `Hello from ${from}\n`;
