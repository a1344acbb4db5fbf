"""The wire: asks outlets for their news, politely, and hands over what they answered. The only Scrapy code."""
