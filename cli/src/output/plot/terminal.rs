//! A terminal as a canvas: lines as dots of Braille characters, labels as text.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _};

use plotters::style::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// A canvas of 2 by 4 dots a character.
pub(super) struct Terminal<'t> {
    text: &'t mut String,
    width: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
enum Cell {
    /// The dots that are set, as the Braille characters number them.
    Dots(u8),
    Text(char),
    /// The right half of a wide character.
    Covered,
}

const HEIGHT: usize = 20;

impl<'t> Terminal<'t> {
    pub(super) fn new(text: &'t mut String) -> Self {
        let size = terminal_size::terminal_size().filter(|_| io::stdout().is_terminal());
        let width = size.map_or(80, |(width, _)| usize::from(width.0).clamp(40, 120));
        let cells = vec![Cell::Dots(0); width * HEIGHT];
        Terminal { text, width, cells }
    }

    fn cell(&mut self, column: usize, row: usize) -> Option<&mut Cell> {
        let row = (column < self.width && row < HEIGHT).then_some(row * self.width)?;
        self.cells.get_mut(row + column)
    }
}

impl DrawingBackend for Terminal<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (2 * self.width as u32, 4 * HEIGHT as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        self.text.clear();
        for row in self.cells.chunks(self.width) {
            let row = row.iter().filter_map(|cell| match cell {
                Cell::Dots(0) => Some(' '),
                Cell::Dots(dots) => char::from_u32(0x2800 + u32::from(*dots)),
                Cell::Text(one) => Some(*one),
                Cell::Covered => None,
            });
            *self.text += row.collect::<String>().trim_end();
            self.text.push('\n');
        }
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        const DOTS: [[u8; 2]; 4] = [[1, 8], [2, 16], [4, 32], [64, 128]];
        // The light lines of the grid would hide the value.
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return Ok(());
        };
        if let Some(Cell::Dots(dots)) = self.cell(x / 2, y / 4)
            && colour.alpha > 0.5
        {
            *dots |= DOTS[y % 4][x % 2];
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let anchor = style.anchor();
        let width = text.width() as i32;
        let left = match anchor.h_pos {
            HPos::Left => 0,
            HPos::Center => width / 2,
            HPos::Right => width,
        };
        let up = match anchor.v_pos {
            VPos::Top => 0,
            VPos::Center => 0,
            VPos::Bottom => 1,
        };
        let mut column = (x / 2 - left).max(0) as usize;
        let row = (y / 4 - up).max(0) as usize;
        for one in text.chars() {
            for n in 0..one.width().unwrap_or(0) {
                if let Some(cell) = self.cell(column, row) {
                    *cell = if n == 0 {
                        Cell::Text(one)
                    } else {
                        Cell::Covered
                    };
                }
                column += 1;
            }
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        _: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((2 * text.width() as u32, 4))
    }
}
